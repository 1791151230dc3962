"""`approve`: the step waits for a person; it creates no Job."""

from controller.decision import Note
from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepEnd, StepWait, fail
from shared import duration
from shared.model.command_message import ApprovalDecision
from shared.model.flow_status import Approval, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Approve, OnTimeout, Step
from shared.timestamp import epoch_or_none

_NO_LEAVE = "onTimeout: Approve needs a JobFlowPolicy that allows it (approvals.onTimeout)"


def ask(context: FlowContext, step: Step, approve: Approve) -> None:
    """Begin to wait. This is an attempt of the step: an answer counts for it only."""
    state = context.steps[step.name]
    context.change(
        step.name,
        phase=StepPhase.PENDING,
        reason=reasons.WAITING_FOR_APPROVAL,
        message=approve.message,
        attempts=state.attempts + 1,
        start_time=context.now_text,
        completion_time=None,
        approval=None,
    )
    context.urgent = True


def answer(context: FlowContext, step: Step, approve: Approve) -> StepEnd | StepWait:
    """The end of a step that somebody answered for, or whose time is over; else what it waits for."""
    state = context.steps[step.name]
    if state.approval is None:
        timed = _timeout(context, step, approve, state)
        if timed is None:
            return _wait(context, state)
        context.change(step.name, approval=timed)
        state = context.steps[step.name]
    found = state.approval or Approval()
    by = f"by {found.user}" if found.user else "after the timeout"
    said = f"{found.decision.lower()} {by}" + (f": {found.message}" if found.message else "")
    if found.decision == ApprovalDecision.APPROVED:
        return StepEnd(StepPhase.COMPLETED, "", said[:512])
    return fail(reasons.REJECTED, said[:512])


def _wait(context: FlowContext, state: StepStatus) -> StepWait:
    missing = context.observed.approvals.missing
    words = "approval" if not missing else f"approval, but none counts: {missing}"
    if missing:
        context.change(state.name, message=f"approvals do not count: {missing}"[:512])
    return StepWait((f"waits for {words}",))


def _timeout(context: FlowContext, step: Step, approve: Approve, state: StepStatus) -> Approval | None:
    """The decision once the time is over; before that, wake up at its end."""
    begun = epoch_or_none(state.start_time)
    if approve.timeout is None or begun is None:
        return None
    until = begun + duration.seconds_or(approve.timeout, 0.0)
    if context.now < until:
        context.wake_at(until)
        return None
    said = f"nobody answered within {approve.timeout}"
    wanted = approve.on_timeout is OnTimeout.APPROVE
    if wanted and not context.observed.approvals.on_timeout:
        said, wanted = f"{said}; {_NO_LEAVE}", False
    decision = ApprovalDecision.APPROVED if wanted else ApprovalDecision.REJECTED
    context.notes.append(Note(f"Step{decision}", f"step {step.name}: {said}", "Normal" if wanted else "Warning"))
    return Approval(decision=decision, time=context.now_text, message=said)
