"""Reads a JobFlow as the child of another flow: its status in terms of a Job's."""

import msgspec

from controller.jobflow import reasons
from controller.jobflow.children.parse.child import parse_child
from controller.jobflow.model.observed import ObservedChild
from shared.actions.flow_messages import forced_stop
from shared.kinds import JOBFLOW
from shared.model.command_message import written
from shared.model.flow_status import FlowPods, JobFlowStatus
from shared.model.job_status import JobState, JobStatus
from shared.model.phases import FlowOutcome, FlowPhase, JobPhase, StepPhase
from shared.model.types import Body

_PHASES = {
    None: JobPhase.PENDING,
    FlowPhase.PENDING: JobPhase.PENDING,
    FlowPhase.SUCCEED: JobPhase.COMPLETED,
    FlowPhase.FAILED: JobPhase.FAILED,
}
_BROKEN = (StepPhase.FAILED, StepPhase.TERMINATED)


def parse_flow(body: Body) -> ObservedChild:
    """Parse a raw JobFlow. A status that is not valid counts as empty, so such a flow has not ended."""
    status = _status(body)
    ended = status.completion_time is not None and status.state.phase in (FlowPhase.SUCCEED, FlowPhase.FAILED)
    return msgspec.structs.replace(
        parse_child(JOBFLOW, body),
        ended=ended,
        ended_at=(status.completion_time or "") if ended else "",
        status=_as_job(status, ended=ended),
        outputs=status.outputs,
        resumable=ended and _resumable(status),
        forced_stop="" if ended else written(forced_stop(body)),
    )


def _status(body: Body) -> JobFlowStatus:
    try:
        return msgspec.convert(body.get("status") or {}, JobFlowStatus)
    except msgspec.ValidationError:
        return JobFlowStatus()


def _as_job(status: JobFlowStatus, *, ended: bool) -> JobStatus:
    phase = _PHASES.get(status.state.phase, JobPhase.RUNNING)
    if ended and status.outcome == FlowOutcome.TERMINATED:
        phase = JobPhase.TERMINATED
    elif not ended and phase.finished:
        phase = JobPhase.RUNNING
    reason, message = status.state.reason, status.state.message
    if not ended:
        reason, message = _waits(status)
    pods = status.pods or FlowPods()
    return JobStatus(
        state=JobState(phase=phase, reason=reason, message=message, last_transition_time=status.completion_time),
        pending=max(pods.total - pods.running - pods.succeeded - pods.failed, 0),
        running=pods.running,
        succeeded=pods.succeeded,
        failed=pods.failed,
    )


def _waits(status: JobFlowStatus) -> tuple[str, str]:
    """Why a flow that has not ended makes no progress; empty for one that does."""
    state = status.state
    if state.reason == reasons.PARENT_SUSPENDED:  # the flow above says itself that it is suspended
        return "", ""
    if state.phase is FlowPhase.SUSPENDED:
        said = state.message or "it is suspended; resume it to continue"
        return reasons.SUB_FLOW_SUSPENDED, said
    if not state.reason or state.reason == reasons.STEP_FAILED or status.outcome:
        return "", ""
    return reasons.SUB_FLOW_WAITS, f"{state.reason}: {state.message}"


def _resumable(status: JobFlowStatus) -> bool:
    """Whether the Command RetryJobFlow would find something to run again."""
    return status.state.phase is FlowPhase.FAILED and any(
        step.phase in _BROKEN or (step.phase is StepPhase.SKIPPED and step.reason in reasons.BAD_SKIPS)
        for step in status.steps
    )
