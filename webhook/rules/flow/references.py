"""`$(...)` references in patches refer to existing values (docs/design/jobflow-api.md, section 6)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from shared import substitution
from shared.model.step import Loop, Step
from shared.podtemplate import expansion
from shared.resource_steps.expanded_fields import expanded_fields
from shared.substitution import Known
from shared.violation import Violation
from webhook.subject.subjects import FlowSubject


def references_stand_for_something(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        references = [
            each for place, value in _texts(step) for each in substitution.references_in(value, f"{path}.{place}")
        ]
        if not references:
            continue
        named = {reference.step for reference in references if reference.step}
        known = Known(
            params=frozenset(param.name for param in flow.spec.params),
            loop=step.for_ is not None,
            item_keys=None if step.for_ is None else _item_keys(step.for_),
            steps=flow.flow_names,
            upstream=frozenset(name for name in named if flow.ends_before(step.name, name)),
            outputs=flow.outputs,
        )
        for fault in substitution.check(references, known):
            yield Violation(fault.path, fault.message, fault.text)


def placeholders_are_not_inside_references(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        if step.resource is not None:
            manifest = step.resource.manifest
            for place, text in expansion.open_placeholders(
                manifest, expanded_fields(manifest), f"{path}.resource.manifest"
            ):
                yield Violation(place, expansion.OPEN_REFERENCE, text)
        if step.patch is None:
            continue
        for place, text in expansion.open_placeholders(
            step.patch.job_spec, expansion.JOB_SPEC, f"{path}.patch.jobSpec"
        ):
            yield Violation(place, expansion.OPEN_REFERENCE, text)
        for index, operation in enumerate(step.patch.json_patch):
            if operation.value is msgspec.UNSET:
                continue
            whole = expansion.at_pointer(operation.path, operation.value)
            for _, text in expansion.open_placeholders(whole, expansion.JOB_SPEC):
                yield Violation(f"{path}.patch.jsonPatch[{index}].value", expansion.OPEN_REFERENCE, text)


def _texts(step: Step) -> Iterator[tuple[str, Any]]:
    """(path, value) of the fields in which references are replaced."""
    if step.flow is not None:
        yield "flow.params", dict(step.flow.params)
    if step.resource is not None:
        yield "resource.manifest", step.resource.manifest
    if step.patch is None:
        return
    yield "patch.jobSpec", step.patch.job_spec
    for index, operation in enumerate(step.patch.json_patch):
        if operation.value is not msgspec.UNSET:
            yield f"patch.jsonPatch[{index}].value", operation.value


def _item_keys(loop: Loop) -> frozenset[str] | None:
    """The keys that all items have; None if an expression returns the items."""
    if loop.matrix is not None:
        return frozenset(loop.matrix)
    if loop.items is not None:
        keys = [frozenset(item) if isinstance(item, dict) else frozenset() for item in loop.items]
        return frozenset.intersection(*keys) if keys else None
    return None if loop.expression is not None else frozenset()
