"""Children of schedules that the API server refused: which due times wait, and until when. Pure."""

from collections.abc import Mapping
from typing import Final

from controller.decision import Child, Refusal
from shared.kinds import Kind

RETRY_SECONDS: Final = 15.0  # between tries to create a child that the API server refuses


def again_at(refusal: Refusal) -> float:
    """When the creation is tried again, in epoch seconds."""
    return refusal.at + RETRY_SECONDS


def is_fresh(refusal: Refusal, now: float) -> bool:
    """Whether the wait lasts. A refusal from the future does not count: the clock was set back."""
    return refusal.at <= now < again_at(refusal)


def fresh_refusals(kind: Kind, refusals: Mapping[Child, Refusal], now: float) -> list[Refusal]:
    return [refusal for (of, _), refusal in refusals.items() if of == kind and is_fresh(refusal, now)]


def refused_names(kind: Kind, refusals: Mapping[Child, Refusal], now: float) -> frozenset[str]:
    """The names of the children of that kind that were just refused."""
    return frozenset(name for (of, name), refusal in refusals.items() if of == kind and is_fresh(refusal, now))


def due_of_name(name: str) -> int:
    """The due time that a child's name ends with, or 0."""
    digits = name.rpartition("-")[2]
    return 60 * int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else 0
