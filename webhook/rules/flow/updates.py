"""Which fields of a JobFlow may change, by its stored status (docs/design/jobflow-api.md, section 7)."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from shared import naming
from shared.kinds import JOBFLOWTEMPLATE
from shared.model.flow import JobFlowSpec
from shared.model.phases import FlowPhase, StepPhase
from shared.model.schedules.flow_template import TemplateParam
from shared.model.step import Step
from shared.model.types import Body
from shared.names import COMMANDED_BY, FLOW_TEMPLATE
from shared.params import value_fault
from shared.violation import Reason, Violation
from webhook.subject.subjects import FlowSubject, body_or_empty

_UNSTARTED: Final = frozenset({"", StepPhase.WAITING, StepPhase.PENDING, StepPhase.SKIPPED})
_ENDED: Final = frozenset({FlowPhase.SUCCEED, FlowPhase.FAILED})
# Immutable fields of an ended flow: (API name, attribute). The others of the spec may change.
_FROZEN_AT_END: Final = (
    ("flows", "flows"),
    ("finally", "finally_"),
    ("params", "params"),
    ("parallelism", "parallelism"),
    ("activeDeadlineSeconds", "active_deadline_seconds"),
    ("failureStrategy", "failure_strategy"),
    ("retry", "retry"),
    ("outputs", "outputs"),
)

_RETRIED: Final = ("params", "active_deadline_seconds")  # fields that a RetryJobFlow may change


def started_steps_are_frozen(flow: FlowSubject) -> Iterator[Violation]:
    if flow.old_spec is None or _why_ended(flow):
        return
    started, old = _started(flow), _steps(flow.old_spec)
    new = {step.name: (path, step) for path, step in flow.steps}
    for name, (path, step) in old.items():
        if name not in started:
            continue
        if name not in new:
            message = f'step "{name}" has started ({started[name]}) and cannot be removed: put it back'
            yield Violation(path.partition("[")[0], message, reason=Reason.FORBIDDEN)
        elif new[name][1] != step:
            message = f'step "{name}" has started ({started[name]}) and cannot be changed: put it back, or add a step of another name'
            yield Violation(new[name][0], message, reason=Reason.FORBIDDEN)


def params_are_frozen_once_a_step_started(flow: FlowSubject) -> Iterator[Violation]:
    if flow.old_spec is None or flow.old_spec.params == flow.spec.params or _why_ended(flow) or _is_retried(flow):
        return
    if started := _started(flow):
        message = (
            f'may not change after a step has started ("{next(iter(started))}" has): `jobflow retry {flow.name} -p'
            " NAME=VALUE` changes them for the steps that have not completed"
        )
        yield Violation("spec.params", message, reason=Reason.FORBIDDEN)


def new_values_of_params_fit_the_template(flow: FlowSubject) -> Iterator[Violation]:
    """For a flow that was created from a JobFlowTemplate.

    Unchanged values are not validated, because the template may have changed since.
    """
    template = flow.lookups.get(JOBFLOWTEMPLATE, flow.namespace, flow.annotations.get(FLOW_TEMPLATE, ""))
    if flow.old_spec is None or template is None or flow.old_spec.params == flow.spec.params:
        return
    declared = {param.name: param for param in _declared(template)}
    before = {param.name: param.value for param in flow.old_spec.params}
    for index, param in enumerate(flow.spec.params):
        if param.name not in declared or before.get(param.name) == param.value:
            continue
        if fault := value_fault(declared[param.name], param.value):
            yield Violation(f"spec.params[{index}].value", f'param "{param.name}" {fault}', param.value)


def _declared(template: Body) -> tuple[TemplateParam, ...]:
    try:
        return msgspec.convert(body_or_empty(template.get("spec")).get("params") or (), tuple[TemplateParam, ...])
    except msgspec.ValidationError:
        return ()


def _is_retried(flow: FlowSubject) -> bool:
    """Whether a RetryJobFlow makes the update. It may change params and the deadline even after steps have started."""
    before = body_or_empty(body_or_empty(body_or_empty(flow.old).get("metadata")).get("annotations"))
    mark = flow.annotations.get(COMMANDED_BY, "")
    return bool(mark) and mark != before.get(COMMANDED_BY)


def ended_flows_are_frozen(flow: FlowSubject) -> Iterator[Violation]:
    why = _why_ended(flow)
    if flow.old_spec is None or not why:
        return
    for field, attribute in _FROZEN_AT_END:
        if attribute in _RETRIED and _is_retried(flow):
            continue
        if getattr(flow.old_spec, attribute) != getattr(flow.spec, attribute):
            message = f"{why}: only suspend, ttlSecondsAfterFinished, finallyDeadlineSeconds, jobRetainPolicy and metadata may change"
            if attribute in _RETRIED:
                message += f"; `jobflow retry {flow.name}` with -p or --deadline changes params and the deadline"
            yield Violation(f"spec.{field}", message, reason=Reason.FORBIDDEN)


def _why_ended(flow: FlowSubject) -> str:
    phase = body_or_empty(_status(flow).get("state")).get("phase")
    if phase in _ENDED:
        return f"the flow has ended ({phase})"
    finals = {step.name for step in flow.old_spec.finally_} if flow.old_spec else set()
    running = next((name for name in _started(flow) if name in finals), None)
    return f'`finally` has started (step "{running}")' if running else ""


def _started(flow: FlowSubject) -> dict[str, str]:
    """Started steps and their phase. For a flow that only Volcano has run, steps with a Job in its status lists."""
    status = _status(flow)
    entries = [entry for entry in _list(status.get("steps")) if isinstance(entry, dict)]
    started = {
        str(entry.get("name")): str(entry.get("phase"))
        for entry in entries
        if entry.get("attempts") or entry.get("phase", "") not in _UNSTARTED
    }
    if not entries and flow.old_spec is not None:
        jobs = {
            body_or_empty(entry).get("name"): body_or_empty(entry).get("state")
            for entry in _list(status.get("jobStatusList"))
        }
        for name in _steps(flow.old_spec):
            job = naming.job_name(flow.name, name)
            if job in jobs:
                started[name] = f"Job {job} {jobs[job] or 'exists'}"
    return started


def _steps(spec: JobFlowSpec) -> dict[str, tuple[str, Step]]:
    steps = [(f"spec.flows[{index}]", step) for index, step in enumerate(spec.flows)]
    steps += [(f"spec.finally[{index}]", step) for index, step in enumerate(spec.finally_)]
    return {step.name: (path, step) for path, step in steps}


def _status(flow: FlowSubject) -> dict[str, Any]:
    return body_or_empty(body_or_empty(flow.old).get("status"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
