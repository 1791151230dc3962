"""`retry`: whether a failed attempt is followed by another, and when (jobflow-api.md 5.3)."""

from typing import Final

from controller.jobflow.decide.context import Turn
from controller.jobflow.decide.values import attempt_value, evaluate_at
from shared import duration
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.flow_status import Attempt
from shared.model.step import Retry, Step

_DURATION: Final = 10.0
_FACTOR: Final = 2.0
_MAX_DURATION: Final = 300.0


def again(turn: Turn, step: Step, attempt: Attempt, tried: int) -> bool:
    """Whether to try again after `attempt`, the `tried`-th since the last command. Raises ExpressionFault."""
    retry = turn.plan.retry(step)
    if turn.stopping or tried > (retry.limit or 0):
        return False
    if retry.if_ is None:
        return True
    return bool(evaluate_at(turn, step, ExpressionPlace.RETRY, retry.if_, attempt=attempt_value(attempt, tried - 1)))


def pause(retry: Retry, tried: int) -> float:
    """Seconds between the end of the `tried`-th attempt and the next: duration * factor^tried, at most maxDuration."""
    backoff = retry.backoff
    first = duration.seconds_or(backoff.duration if backoff else None, _DURATION)
    factor = (backoff.factor if backoff else None) or _FACTOR
    most = duration.seconds_or(backoff.max_duration if backoff else None, _MAX_DURATION)
    try:
        return float(max(min(first * factor**tried, most), 0.0))
    except OverflowError:
        return most
