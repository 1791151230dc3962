"""`JobFlow.status`, derived from the states of the steps and the Jobs. Counts and phase are computed at every pass."""

from collections import Counter
from typing import Final

from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.control.failure import STOPPED
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.plan import Plan
from controller.jobflow.status.pending_summary import pending_steps, summary
from controller.jobflow.status.volcano_lists import job_lists
from shared import duration
from shared.model.flow import JobFlow
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
    {reasons.TEMPLATE_NOT_FOUND, reasons.JOB_REJECTED, reasons.WAITING_FOR_DELETION} | reasons.BLOCKED
)
_IDLE: Final = (StepPhase.WAITING, StepPhase.PENDING)
_BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


def carried(context: FlowContext) -> JobFlowStatus:
    """The status with everything that the next decision reads; the other fields stay as they were."""
    return replace(
        context.status,
        observed_generation=context.observed.flow.metadata.generation,
        start_time=context.start_time,
        completion_time=context.completion_time,
        steps=tuple(context.steps.values()),
        handled_commands=context.handled,
        command_results=context.command_results,
        outcome=context.outcome,
        finally_start_time=context.finally_start_time,
        finally_outcome=context.finally_outcome,
        outputs=context.outputs,
    )


def announced(plan: Plan, flow: JobFlow) -> JobFlowStatus:
    """The first status of a large flow, in which no step is listed: all of them wait."""
    return JobFlowStatus(
        state=FlowState(phase=FlowPhase.SUSPENDED if flow.spec.suspend else FlowPhase.PENDING),
        observed_generation=flow.metadata.generation,
        progress=f"0/{len(plan.steps)}",
        counts=StepCounts(waiting=len(plan.steps)),
    )


def flow_status(context: FlowContext) -> JobFlowStatus:
    """The whole new status."""
    steps = tuple(context.steps.values())
    lists = job_lists(context)
    coming = pending_steps(context)
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
        state=state(context),
        observed_generation=context.observed.flow.metadata.generation,
        start_time=context.start_time,
        completion_time=context.completion_time,
        duration=_duration(context),
        progress=f"{counts.completed + counts.failed + counts.skipped}/{len(steps)}",
        counts=counts,
        steps=steps,
        next=coming,
        next_summary=summary(coming),
        pods=_pods(context),
        handled_commands=context.handled,
        command_results=context.command_results,
        outcome=context.outcome,
        finally_start_time=context.finally_start_time,
        finally_outcome=context.finally_outcome,
        outputs=context.outputs,
    )


def step_counts(steps: tuple[StepStatus, ...]) -> StepCounts:
    """Steps by the groups that `status.counts` shows."""
    found = Counter("waiting" if _has_no_job(step) else _COUNTED[step.phase] for step in steps)
    return StepCounts(**found)


def _has_no_job(step: StepStatus) -> bool:
    """Whether it is Pending because its Job cannot be created yet."""
    return step.phase is StepPhase.PENDING and step.reason in reasons.NO_JOB_YET


def state(context: FlowContext) -> FlowState:
    """Phase, and why."""
    if context.observed.flow.metadata.deletion_timestamp:
        return FlowState(phase=FlowPhase.TERMINATING, reason="Deleted", message="the JobFlow is being deleted")
    if context.completion_time is not None:
        return _ended(context)
    if context.plan.fault:
        return FlowState(phase=FlowPhase.PENDING, reason=reasons.INVALID_SPEC, message=context.plan.fault)
    if context.has_no_place and not (context.is_suspended and context.flows_open):
        return FlowState(phase=FlowPhase.PENDING, reason=reasons.QUOTA_EXCEEDED, message=context.held_by)
    reason, message = _why(context)
    return FlowState(phase=_phase(context), reason=reason, message=message)


def _ended(context: FlowContext) -> FlowState:
    if context.outcome == FlowOutcome.SUCCEED:
        return FlowState(phase=FlowPhase.SUCCEED)
    reason, message = _failure(context)
    missing = [output.name for output in context.plan.spec.outputs if output.name not in context.outputs]
    if context.outcome == FlowOutcome.FAILED and not reason and missing:
        reason, message = reasons.OUTPUT_MISSING, f"outputs without a value: {', '.join(missing)}; see the events"[:512]
    if context.outcome != FlowOutcome.FAILED:
        parts = (STOPPED.get(context.outcome, ""), message)
        reason, message = context.outcome, "; ".join(part for part in parts if part)[:512]
    return FlowState(phase=FlowPhase.FAILED, reason=reason, message=message)


def _phase(context: FlowContext) -> FlowPhase:
    if context.is_suspended and context.flows_open:
        return FlowPhase.SUSPENDED
    begun = any(step.phase not in _IDLE or _tried(step) for step in context.steps.values())
    return FlowPhase.RUNNING if begun else FlowPhase.PENDING


def _tried(step: StepStatus) -> bool:
    """Whether an attempt has ended since the last command: the next one's Job does not make the flow Pending again."""
    return step.attempts - step.attempt_base > 1


def _why(context: FlowContext) -> tuple[str, str]:
    if context.stopping:
        return (
            context.outcome,
            "running Jobs are being terminated" if context.flows_open else "its last steps run (finally)",
        )
    if context.suspended_by and not context.suspend:
        return reasons.PARENT_SUSPENDED, f"JobFlow {context.suspended_by} above this one is suspended"
    if context.failed:
        return _failure(context)
    blocked = next((step for step in context.steps.values() if step.reason in _BLOCKED), None)
    return (blocked.reason, f"step {blocked.name}: {blocked.message}"[:512]) if blocked else ("", "")


def _failure(context: FlowContext) -> tuple[str, str]:
    broken = [
        step
        for step in context.steps.values()
        if step.name in context.step_states.failures
        or (step.phase in _BROKEN and not context.plan.steps[step.name].allow_failure)
    ]
    if not broken:
        return reasons.STEP_FAILED if context.failed else "", ""
    first = min(broken, key=lambda step: (_is_consequence(step), step.completion_time or context.now_text))
    phase = str(first.phase if first.phase.ended else StepPhase.FAILED).lower()
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    why = ": ".join(part for part in (first.reason, first.message) if part)
    return reasons.STEP_FAILED, f"step {first.name} {phase}{more}: {why}"[:512]


def _is_consequence(step: StepStatus) -> bool:
    """Whether the step was terminated because another one had failed, so that it is not the cause."""
    return step.phase is StepPhase.TERMINATED and step.reason == reasons.FLOW_STOPPED


def _duration(context: FlowContext) -> str:
    begun, ended = epoch_or_none(context.start_time), epoch_or_none(context.completion_time)
    return duration.text(max(ended - begun, 0.0)) if begun is not None and ended is not None else ""


def _pods(context: FlowContext) -> FlowPods:
    """Pods of ended attempts, as recorded, and of the current Jobs."""
    live = [job for state in context.begun() for job in context.current_jobs(state)]
    live = [job for job in live if not job.ended]
    ended = [step.pods for step in context.steps.values() if step.pods is not None]
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
