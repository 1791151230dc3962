"""Moves a step that waits for a person: it ends when somebody answers, when its time is over, or when the flow stops."""

from controller.jobflow.control import approval, failure
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepEnd
from shared.model.phases import StepPhase
from shared.model.step import Approve, Step


def await_approval(context: FlowContext, step: Step, approve: Approve) -> None:
    """End the step, or note what it waits for. A failure elsewhere ends the wait: nothing after it would start."""
    if failure.halts(context, step):
        reason, words = failure.halt_reason(context, step), failure.halt_words(context, step)
        context.end(step.name, StepPhase.TERMINATED, reason, f"the wait for approval was ended: {words}")
        return
    found = failure.stopped(context, step) or approval.answer(context, step, approve)
    if isinstance(found, StepEnd):
        context.end(step.name, found.phase, found.reason, found.message)
    else:
        context.waiting_for[step.name] = found.waiting_for
