"""`retry`: whether a failed attempt is followed by another, and when (docs/design/jobflow-api.md, section 5.3)."""

from typing import Final

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import attempt_value, evaluate_at
from shared import duration
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.flow_status import Attempt
from shared.model.step import Retry, Step
from shared.timestamp import rfc3339

_DURATION: Final = 10.0
_FACTOR: Final = 2.0
_MAX_DURATION: Final = 300.0


def again(context: FlowContext, step: Step, attempt: Attempt, tried: int) -> bool:
    """Whether `retry` asks for another attempt after `attempt`, the `tried`-th since the last command.

    Raises ExpressionFault.
    """
    retry = context.plan.retry(step)
    if not is_left(context, step, tried):
        return False
    if retry.if_ is None:
        return True
    return bool(evaluate_at(context, step, ExpressionPlace.RETRY, retry.if_, attempt=attempt_value(attempt, tried - 1)))


def is_left(context: FlowContext, step: Step, tried: int) -> bool:
    """Whether `retry.limit` allows another attempt after the `tried`-th."""
    return tried <= (context.plan.retry(step).limit or 0)


def why_none(context: FlowContext, step: Step, tried: int) -> str:
    """Why no other attempt follows the `tried`-th, which `retry` did not ask for; "" for a step without retries."""
    limit = context.plan.retry(step).limit or 0
    if not limit:
        return ""
    return "retry.if is false" if tried <= limit else f"retry.limit ({limit}) is used up"


def pending(context: FlowContext, step: Step, tried: int, index: int | None = None) -> str:
    """`retry 2/3 at 2027-01-15T08:00:40Z`: with the time, so that the text stays true while time passes."""
    of = "" if index is None else f" of iteration {index}"
    return f"retry {tried}/{context.plan.retry(step).limit or 0}{of} at {rfc3339(context.due_at(step.name, index))}"


def pause(retry: Retry, tried: int) -> float:
    """Seconds between the end of the `tried`-th attempt and the next: duration * factor^(tried - 1), at most maxDuration."""
    backoff = retry.backoff
    first = duration.seconds_or(backoff.duration if backoff else None, _DURATION)
    factor = (backoff.factor if backoff else None) or _FACTOR
    most = duration.seconds_or(backoff.max_duration if backoff else None, _MAX_DURATION)
    try:
        return float(max(min(first * factor ** (tried - 1), most), 0.0))
    except OverflowError:
        return most
