"""`activeDeadlineSeconds` of the flow: wall time from `startTime` (jobflow-api.md 1)."""

from controller.jobflow.model.context import FlowContext
from shared.model.phases import FlowOutcome
from shared.timestamp import epoch_or_none


def deadline(context: FlowContext) -> None:
    """Once the time is over while steps have not ended, the outcome is DeadlineExceeded; before, wake up for it."""
    seconds = context.plan.spec.active_deadline_seconds
    begun = epoch_or_none(context.start_time)
    if seconds is None or begun is None or context.outcome:
        return
    if not context.flows_open:
        return
    if context.now < begun + seconds:
        context.wake_at(begun + seconds)
        return
    context.outcome = FlowOutcome.DEADLINE_EXCEEDED
    context.urgent = True
