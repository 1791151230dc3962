"""Reads an object that a step with `resource` created: its state in terms of a Job's, by the conditions of the step."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.children.parse.child import parse_child
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import Kind
from shared.model.job_status import JobState, JobStatus
from shared.model.phases import JobPhase
from shared.model.step import Step
from shared.model.types import Body
from shared.names import TERMINATED_AT
from shared.resource_steps.conditions import Reading, read_conditions, read_output
from shared.timestamp import epoch_or_none, rfc3339

_LONGEST: Final = 512
_NOTHING: Final = Reading()
_STOPPED: Final = "{} {} was stopped or deleted before it ended"


def parse_resource(kind: Kind, body: Body, step: Step | None) -> ObservedChild:
    """Parse a raw object. `step`: that created it; without one, its conditions are not known and it has not ended."""
    child = parse_child(kind, body)
    read = _NOTHING if step is None or step.resource is None else read_conditions(step.resource, body)
    stopped = (body["metadata"].get("annotations") or {}).get(TERMINATED_AT) or ""
    phase = _phase(read, stopped=bool(stopped), deleting=child.deleting)
    return replace(
        child,
        ended=phase.finished,
        ended_at=_ended_at(body, phase, stopped),
        status=JobStatus(state=_state(kind, child.name, phase, read)),
        outputs=_outputs(step, body) if phase.finished else {},
        fault=read.fault,
    )


def without_object(child: ObservedChild) -> ObservedChild:
    """A child whose object has been deleted: it has ended."""
    if child.ended:
        return replace(child, deleting=True)
    state = JobState(phase=JobPhase.TERMINATED, message=_STOPPED.format(child.kind.kind, child.name))
    return replace(child, deleting=True, ended=True, status=JobStatus(state=state))


def dated(child: ObservedChild, before: ObservedChild | None, now: float) -> ObservedChild:
    """The child with the times that its object does not record: when it ended, and since when a condition has no value.

    They are those of `before`, the same child as it was seen last, or `now`.
    """
    if before is not None and before.uid != child.uid:
        before = None
    if child.ended and not child.ended_at:
        known = before.ended_at if before is not None and before.phase is child.phase else ""
        child = replace(child, ended_at=known or rfc3339(now))
    if child.fault:
        child = replace(child, fault_since=before.fault_since if before is not None and before.fault else now)
    return child


def _phase(read: Reading, *, stopped: bool, deleting: bool) -> JobPhase:
    """One that is being deleted has not ended: deletion in the foreground waits for what the object owns."""
    if read.failed:
        return JobPhase.FAILED
    if read.succeeded:
        return JobPhase.COMPLETED
    if stopped:
        return JobPhase.TERMINATED
    if deleting:
        return JobPhase.TERMINATING
    return JobPhase.RUNNING if read.running else JobPhase.PENDING


def _state(kind: Kind, name: str, phase: JobPhase, read: Reading) -> JobState:
    if phase is JobPhase.FAILED:
        message = f"{kind.kind} {name} has failed{f': {read.message}' if read.message else ''}"
        return JobState(phase=phase, reason=reasons.RESOURCE_FAILED, message=message[:_LONGEST])
    if phase is JobPhase.TERMINATED:
        return JobState(phase=phase, message=_STOPPED.format(kind.kind, name))
    return JobState(phase=phase)


def _outputs(step: Step | None, body: Body) -> dict[str, str]:
    """The outputs whose expressions have a value."""
    found: dict[str, str] = {}
    for output in step.outputs if step is not None else ():
        value = read_output(output.expression, body) if output.expression else None
        if value is not None:
            found[output.name] = value
    return found


def _ended_at(body: Body, phase: JobPhase, stopped: str) -> str:
    """When it ended, as far as the object says so, or ""."""
    if phase is JobPhase.TERMINATED:
        return stopped
    status = body.get("status")
    if not phase.finished or not isinstance(status, dict):
        return ""
    times = [status.get("completionTime"), *sorted(_transitions(status), reverse=True)]
    return next((text for text in times if isinstance(text, str) and epoch_or_none(text) is not None), "")


def _transitions(status: Body) -> Iterator[str]:
    conditions = status.get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        time = one.get("lastTransitionTime") if isinstance(one, dict) else None
        if isinstance(time, str):
            yield time
