"""Creates that the API server refused: they are reported and tried again without limit (docs/design/decisions.md, row
9).
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from controller.decision import Action, Create, Refusal
from controller.job import reasons
from controller.job.model.observed import JobObservation
from shared.naming import shortened

RETRY_FIRST: Final = 0.5
RETRY_MOST: Final = 15.0  # the longest delay until a raised quota takes effect
TAKEN: Final = 409
TAKEN_MOST: Final = 2.0  # the longest delay until a name is free is noticed
_LONGEST: Final = 400


class Blocker(msgspec.Struct, frozen=True):
    """Why the Job cannot continue: a reason in UpperCamelCase and a sentence."""

    reason: str
    message: str


def refusal_of(action: Action, observed: JobObservation) -> Refusal | None:
    """The last refusal of this action, while its back-off lasts."""
    name = str(action.body["metadata"]["name"]) if isinstance(action, Create) else action.name
    refusal = observed.refusals.get((action.kind, name))
    return refusal if refusal is not None and is_fresh(refusal, observed.now) else None


def is_fresh(refusal: Refusal, now: float) -> bool:
    """Whether the back-off lasts. A refusal from the future does not count: the clock was set back."""
    return refusal.at <= now < again_at(refusal)


def again_at(refusal: Refusal) -> float:
    """When to try again, in epoch seconds. A name that is taken usually belongs to an old object that is being deleted."""
    most = TAKEN_MOST if refusal.code == TAKEN else RETRY_MOST
    return refusal.at + min(most, RETRY_FIRST * float(2 ** min(refusal.count - 1, 10)))


def wake(refusals: Iterable[Refusal]) -> float | None:
    return min((again_at(refusal) for refusal in refusals), default=None)


def blocker(refusal: Refusal, rest: str = "") -> Blocker:
    reason = reasons.WAITING_FOR_DELETION if refusal.leaving else reasons.FAILED_CREATE
    return Blocker(reason, shortened(refusal.message, _LONGEST) + rest)
