"""`finally`: the outcome of the flow, and the end of everything (jobflow-api.md 1, 3.3)."""

from controller.jobflow.decide.context import Turn
from shared.model.phases import FlowOutcome, StepPhase

_BROKEN = (StepPhase.FAILED, StepPhase.TERMINATED)


def may_begin(turn: Turn) -> bool:
    """Whether every step of `flows` has ended; the outcome is settled then."""
    if turn.flows_open:
        return False
    if not turn.outcome:
        turn.outcome = FlowOutcome.FAILED if turn.failed else FlowOutcome.SUCCEED
    return True


def finish(turn: Turn) -> None:
    """Once `finally` has ended too, the flow has: one of its steps that failed makes the flow Failed."""
    if turn.completion_time is not None or turn.open:
        return
    broken = any(turn.steps[step.name].phase in _BROKEN and not step.allow_failure for step in turn.plan.finals)
    if broken and turn.outcome == FlowOutcome.SUCCEED:
        turn.outcome = FlowOutcome.FAILED
    turn.completion_time = turn.now_text
    turn.urgent = True
