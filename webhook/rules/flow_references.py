"""`$(...)` in patch.jobSpec names what there is (jobflow-api.md 6)."""

from collections.abc import Iterator

from shared import substitution
from shared.model.step import Loop
from shared.substitution import Known
from shared.violation import Violation
from webhook.subject import FlowSubject


def references_stand_for_something(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        job_spec = step.patch.job_spec if step.patch is not None else None
        references = substitution.references_in(job_spec, f"{path}.patch.jobSpec") if job_spec else []
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


def _item_keys(loop: Loop) -> frozenset[str] | None:
    """The keys that every item has; None when an expression makes the items."""
    if loop.matrix is not None:
        return frozenset(loop.matrix)
    if loop.items is not None:
        keys = [frozenset(item) if isinstance(item, dict) else frozenset() for item in loop.items]
        return frozenset.intersection(*keys) if keys else None
    return None if loop.expression is not None else frozenset()
