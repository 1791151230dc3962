"""`finally`: when its steps may start, and the end of the flow (docs/design/jobflow-api.md, sections 1 and 3.3)."""

from controller.jobflow.model.context import FlowContext
from shared.model.phases import FlowOutcome, StepPhase

_BROKEN = (StepPhase.FAILED, StepPhase.TERMINATED)


def may_begin(context: FlowContext) -> bool:
    """Whether every step of `flows` has ended. The outcome is set then."""
    if context.flows_open:
        return False
    if not context.outcome:
        context.outcome = FlowOutcome.FAILED if context.failed else FlowOutcome.SUCCEED
    return True


def finish(context: FlowContext) -> None:
    """End the flow once `finally` has ended. A failed step of `finally` makes the flow Failed."""
    if context.completion_time is not None or context.open:
        return
    broken = any(context.steps[step.name].phase in _BROKEN and not step.allow_failure for step in context.plan.finals)
    if broken and context.outcome == FlowOutcome.SUCCEED:
        context.outcome = FlowOutcome.FAILED
    context.completion_time = context.now_text
    context.urgent = True
