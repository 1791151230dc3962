"""Rules of steps with `resource`, which create an object of another kind than Job."""

from collections.abc import Iterator
from typing import Any, Final

from shared import kinds
from shared.expressions import ResultType
from shared.kinds import Kind
from shared.model.step import Step, StepResource
from shared.resource_steps.allowed import names_of, never
from shared.resource_steps.conditions import compile_over_object, problems, texts_of
from shared.resource_steps.manifest import manifest_faults, termination_faults
from shared.violation import Reason, Violation
from webhook.subject.subjects import FlowSubject

_NOT_WITH_RESOURCE: Final[tuple[tuple[str, str, Any], ...]] = (
    ("template", "template", ""),
    ("patch", "patch", None),
    ("switch", "switch", None),
    ("flow", "flow", None),
    ("approve", "approve", None),
)
_NOT_OF_OBJECTS: Final = ("task", "container", "key")


def resource_steps_make_no_jobs(flow: FlowSubject) -> Iterator[Violation]:
    for path, step, _ in _resources(flow):
        for field, attribute, absent in _NOT_WITH_RESOURCE:
            if getattr(step, attribute) != absent:
                message = f"may not be set beside resource: remove {field} or resource"
                yield Violation(f"{path}.{field}", message, reason=Reason.FORBIDDEN)


def resource_kinds_are_allowed(flow: FlowSubject) -> Iterator[Violation]:
    """Kinds that are never allowed are refused without a cluster, too."""
    allowed = _allowed(flow)
    for path, _, resource in _resources(flow):
        version, kind = resource.type_meta
        place, said = f"{path}.resource.manifest.kind", f"{version} {kind}"
        if why := never(version.rpartition("/")[0]):
            yield Violation(place, f"{said}: steps may never create this kind: {why}", reason=Reason.FORBIDDEN)
        elif allowed is not None and (version, kind) not in {(one.api_version, one.kind) for one in allowed}:
            message = f"{said}: the operator does not allow steps to create it in this namespace; allowed: {names_of(allowed)}"
            yield Violation(place, message, reason=Reason.FORBIDDEN)


def resource_manifests_say_what_they_may(flow: FlowSubject) -> Iterator[Violation]:
    for path, _, resource in _resources(flow):
        for place, message, value in manifest_faults(resource.manifest, flow.namespace):
            yield Violation(f"{path}.resource.manifest.{place}", message, value)
        for place, message, value in termination_faults(resource):
            yield Violation(f"{path}.resource.terminate.{place}", message, value)


def resource_conditions_are_there_and_compile(flow: FlowSubject) -> Iterator[Violation]:
    for path, _, resource in _resources(flow):
        for field, text, problem in problems(resource):
            yield Violation(f"{path}.resource.{field}", str(problem), text)
        texts = texts_of(resource)
        for field in ("success", "failure"):
            if field not in texts:
                message = f"give a CEL bool over object: no default is known for {resource.manifest.get('kind')}"
                yield Violation(f"{path}.resource.{field}", message, reason=Reason.REQUIRED)


def resource_outputs_are_expressions(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        for index, output in enumerate(step.outputs):
            place = f"{path}.outputs[{index}]"
            if step.resource is None:
                if output.expression is not None:
                    message = "only a step with resource has an object to evaluate it on"
                    yield Violation(f"{place}.expression", message, reason=Reason.FORBIDDEN)
                continue
            yield from _output_faults(step, index, place)


def _output_faults(step: Step, index: int, place: str) -> Iterator[Violation]:
    output = step.outputs[index]
    for field in _NOT_OF_OBJECTS:
        if getattr(output, field):
            message = "a step with resource takes outputs from its object: give expression"
            yield Violation(f"{place}.{field}", message, reason=Reason.FORBIDDEN)
    if output.expression is None:
        yield Violation(f"{place}.expression", "give CEL over object", reason=Reason.REQUIRED)
        return
    compiled = compile_over_object(output.expression, ResultType.VALUE)
    for problem in compiled if isinstance(compiled, tuple) else ():
        yield Violation(f"{place}.expression", str(problem), output.expression)


def _resources(flow: FlowSubject) -> Iterator[tuple[str, Step, StepResource]]:
    for path, step in flow.special:
        if step.resource is not None:
            yield path, step, step.resource


def _allowed(flow: FlowSubject) -> tuple[Kind, ...] | None:
    """The kinds that are allowed in the flow's namespace; None: not known."""
    if flow.resource_kinds is None:
        return None
    body = flow.lookups.get(kinds.NAMESPACE, "", flow.namespace) or {}
    labels = body.get("metadata", {}).get("labels") or {}
    return tuple(one.as_kind for one in flow.resource_kinds if one.in_namespace(labels))
