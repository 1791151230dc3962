"""Whether an object takes a place in a quota, waits for one, or does neither."""

from enum import StrEnum
from typing import Final

from shared.model.types import Body
from shared.policy.raw import mapping

_OF_GARBAGE_COLLECTOR: Final = ("foregroundDeletion", "orphan")


class Standing(StrEnum):
    """HOLDS: it may run, or something of it still does; WAITS: it would run, and no status says yet that it may; IDLE:
    neither."""

    IDLE = "Idle"
    WAITS = "Waits"
    HOLDS = "Holds"


def is_leaving(body: Body) -> bool:
    """Whether an object is being deleted and nobody's finalizer keeps it.

    What runs of an object that a finalizer keeps runs on until that is removed: it is as active as one that nobody deletes.
    """
    metadata = mapping(body.get("metadata"))
    finalizers = metadata.get("finalizers") or ()
    return bool(metadata.get("deletionTimestamp")) and all(each in _OF_GARBAGE_COLLECTOR for each in finalizers)
