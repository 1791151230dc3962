"""`activeDeadlineSeconds` of the flow: wall time from `startTime` (jobflow-api.md 1)."""

from controller.jobflow.decide.context import Turn
from shared.model.phases import FlowOutcome
from shared.timestamp import epoch_or_none


def deadline(turn: Turn) -> None:
    """Once the time is over while steps have not ended, the outcome is DeadlineExceeded; before, wake up for it."""
    seconds = turn.plan.spec.active_deadline_seconds
    begun = epoch_or_none(turn.start_time)
    if seconds is None or begun is None or turn.outcome:
        return
    if not turn.flows_open:
        return
    if turn.now < begun + seconds:
        turn.wake_at(begun + seconds)
        return
    turn.outcome = FlowOutcome.DEADLINE_EXCEEDED
    turn.urgent = True
