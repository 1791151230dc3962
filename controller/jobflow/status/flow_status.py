"""`JobFlow.status` from the states of the steps and the Jobs. Counts and phase are always derived, never kept."""

from collections import Counter
from typing import Final

from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.control.failure import STOPPED
from controller.jobflow.decide.context import Turn
from controller.jobflow.status.pending_summary import next_up, summary
from controller.jobflow.status.volcano_lists import job_lists
from shared import duration
from shared.model.flow_status import FlowPods, FlowState, JobFlowStatus, StepCounts, StepStatus
from shared.model.phases import FlowOutcome, FlowPhase, StepPhase
from shared.timestamp import epoch_or_none

_COUNTED: Final = {
    StepPhase.WAITING: "waiting",
    StepPhase.PENDING: "running",
    StepPhase.RUNNING: "running",
    StepPhase.RETRYING: "running",
    StepPhase.SUSPENDED: "running",
    StepPhase.COMPLETED: "completed",
    StepPhase.FAILED: "failed",
    StepPhase.TERMINATED: "failed",
    StepPhase.SKIPPED: "skipped",
}
_BLOCKED: Final = frozenset(
    {reasons.TEMPLATE_NOT_FOUND, reasons.JOB_REJECTED, reasons.WAITING_FOR_DELETION} | reasons.HINDRANCES
)
_IDLE: Final = (StepPhase.WAITING, StepPhase.PENDING)
_BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


def carried(turn: Turn) -> JobFlowStatus:
    """The status with all that the next decision goes by, and everything else as it was."""
    return replace(
        turn.status,
        observed_generation=turn.seen.flow.metadata.generation,
        start_time=turn.start_time,
        completion_time=turn.completion_time,
        steps=tuple(turn.steps.values()),
        handled_commands=turn.handled,
        outcome=turn.outcome,
    )


def status(turn: Turn) -> JobFlowStatus:
    """The whole new status."""
    steps = tuple(turn.steps.values())
    lists = job_lists(turn)
    coming = next_up(turn)
    counts = step_counts(steps)
    return JobFlowStatus(
        pending_jobs=lists.by_phase["pending_jobs"],
        running_jobs=lists.by_phase["running_jobs"],
        failed_jobs=lists.by_phase["failed_jobs"],
        completed_jobs=lists.by_phase["completed_jobs"],
        terminated_jobs=lists.by_phase["terminated_jobs"],
        un_know_jobs=lists.by_phase["un_know_jobs"],
        job_status_list=lists.entries,
        conditions=lists.conditions,
        state=state(turn),
        observed_generation=turn.seen.flow.metadata.generation,
        start_time=turn.start_time,
        completion_time=turn.completion_time,
        duration=_duration(turn),
        progress=f"{counts.completed + counts.failed + counts.skipped}/{len(steps)}",
        counts=counts,
        steps=steps,
        next=coming,
        next_summary=summary(coming),
        pods=_pods(turn),
        handled_commands=turn.handled,
        outcome=turn.outcome,
    )


def step_counts(steps: tuple[StepStatus, ...]) -> StepCounts:
    """Steps by what people ask about."""
    found = Counter("waiting" if _has_no_job(step) else _COUNTED[step.phase] for step in steps)
    return StepCounts(**found)


def _has_no_job(step: StepStatus) -> bool:
    """Whether it is Pending for a Job that cannot be made for now."""
    return step.phase is StepPhase.PENDING and step.reason in reasons.NOT_BEGUN


def state(turn: Turn) -> FlowState:
    """Phase, and why."""
    if turn.seen.flow.metadata.deletion_timestamp:
        return FlowState(phase=FlowPhase.TERMINATING, reason="Deleted", message="the JobFlow is being deleted")
    if turn.completion_time is not None:
        return _ended(turn)
    if turn.plan.fault:
        return FlowState(phase=FlowPhase.PENDING, reason=reasons.INVALID_SPEC, message=turn.plan.fault)
    reason, message = _why(turn)
    return FlowState(phase=_phase(turn), reason=reason, message=message)


def _ended(turn: Turn) -> FlowState:
    if turn.outcome == FlowOutcome.SUCCEED:
        return FlowState(phase=FlowPhase.SUCCEED)
    reason, message = _failure(turn)
    if turn.outcome != FlowOutcome.FAILED:
        told = (STOPPED.get(turn.outcome, ""), message)
        reason, message = turn.outcome, "; ".join(part for part in told if part)[:512]
    return FlowState(phase=FlowPhase.FAILED, reason=reason, message=message)


def _phase(turn: Turn) -> FlowPhase:
    if turn.suspend and turn.flows_open:
        return FlowPhase.SUSPENDED
    begun = any(step.phase not in _IDLE or _tried(step) for step in turn.steps.values())
    return FlowPhase.RUNNING if begun else FlowPhase.PENDING


def _tried(step: StepStatus) -> bool:
    """Whether an attempt has ended since the last command: the next one's Job does not make the flow Pending again."""
    return step.attempts - step.attempt_base > 1


def _why(turn: Turn) -> tuple[str, str]:
    if turn.stopping:
        return turn.outcome, "running Jobs are being terminated" if turn.flows_open else "its last steps run (finally)"
    if turn.failed:
        return _failure(turn)
    blocked = next((step for step in turn.steps.values() if step.reason in _BLOCKED), None)
    return (blocked.reason, f"step {blocked.name}: {blocked.message}"[:512]) if blocked else ("", "")


def _failure(turn: Turn) -> tuple[str, str]:
    broken = [
        step for step in turn.steps.values() if step.phase in _BROKEN and not turn.plan.steps[step.name].allow_failure
    ]
    if not broken:
        return reasons.STEP_FAILED if turn.failed else "", ""
    first = min(broken, key=lambda step: step.completion_time or "")
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    why = ": ".join(part for part in (first.reason, first.message) if part)
    return reasons.STEP_FAILED, f"step {first.name} {str(first.phase).lower()}{more}: {why}"[:512]


def _duration(turn: Turn) -> str:
    begun, ended = epoch_or_none(turn.start_time), epoch_or_none(turn.completion_time)
    return duration.text(max(ended - begun, 0.0)) if begun is not None and ended is not None else ""


def _pods(turn: Turn) -> FlowPods:
    """Pods of ended attempts as they were taken down, and those of the Jobs under way."""
    live = [job for state in turn.begun() for job in turn.current_jobs(state)]
    live = [job for job in live if not job.ended]
    ended = [step.pods for step in turn.steps.values() if step.pods is not None]
    succeeded = sum(job.status.succeeded for job in live) + sum(pods.succeeded for pods in ended)
    failed = sum(job.status.failed for job in live) + sum(pods.failed for pods in ended)
    going = sum(job.counted - job.status.succeeded - job.status.failed for job in live)
    done = succeeded + failed
    return FlowPods(
        total=going + done,
        running=sum(job.status.running for job in live),
        succeeded=succeeded,
        failed=failed,
        failure_rate_percent=round(100 * failed / done, 2) if done else 0.0,
    )
