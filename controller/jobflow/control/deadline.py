"""`activeDeadlineSeconds` of the flow: wall time from `startTime` (docs/design/jobflow-api.md, section 1)."""

from controller.jobflow.model.context import FlowContext
from shared.model.phases import FlowOutcome
from shared.timestamp import epoch_or_none


def deadline(context: FlowContext) -> None:
    """Set the outcome DeadlineExceeded once the time is over with steps open; before that, wake up at the deadline."""
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
