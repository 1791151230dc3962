"""What to do about creates that the API server refused: say so, wait, try again, lose nothing (decisions row 9)."""

from collections.abc import Iterable
from typing import Final

import msgspec

from controller.decision import Action, Create, Refusal
from controller.job.observe.observed import JobObservation

RETRY_FIRST: Final = 0.5
RETRY_MOST: Final = 15.0  # a raised quota shows within that time
TAKEN: Final = 409
_LONGEST: Final = 400


class Blocker(msgspec.Struct, frozen=True):
    """Why the Job cannot go on for now, in one word and in a sentence."""

    reason: str
    message: str


FAILED_CREATE: Final = "FailedCreate"


def refusal_of(action: Action, observed: JobObservation) -> Refusal | None:
    """The refusal of this very action, still too fresh to try again."""
    name = str(action.body["metadata"]["name"]) if isinstance(action, Create) else action.name
    refusal = observed.refusals.get((action.kind, name))
    return refusal if refusal is not None and is_fresh(refusal, observed.now) else None


def is_fresh(refusal: Refusal, now: float) -> bool:
    """Whether it is too early to try again. One from the future is not fresh: the clock was set back since."""
    return refusal.at <= now < again_at(refusal)


def again_at(refusal: Refusal) -> float:
    """When to try again, epoch seconds. A name that is taken is likely that of a forerunner on its way out."""
    if refusal.code == TAKEN:
        return refusal.at + RETRY_FIRST
    return refusal.at + min(RETRY_MOST, RETRY_FIRST * float(2 ** min(refusal.count - 1, 10)))


def wake(refusals: Iterable[Refusal]) -> float | None:
    return min((again_at(refusal) for refusal in refusals), default=None)


def blocker(refusal: Refusal, rest: str = "") -> Blocker:
    return Blocker(FAILED_CREATE, refusal.message[:_LONGEST] + rest)
