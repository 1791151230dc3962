"""When a group's status is worth writing: changes gather for a while, and a group about to be deleted is left alone."""

from typing import Final

from controller.gang.cache.group import Group
from controller.gang.cache.pod_counts import Tally
from controller.gang.podgroup import phase
from shared.key import Key
from shared.model.types import Body

WRITE_SECONDS: Final = 2.0  # what changes within it is written once; groups of short Jobs are gone by then
ENDED_SECONDS: Final = 10.0  # of a Job's group whose pods have all ended: the Job deletes it
WORDS_SECONDS: Final = 30.0  # numbers in the message of a group that goes on waiting


class Pace:
    """What was seen to differ, and what was written, by group. Times are epoch seconds; a clock set back costs one wait."""

    def __init__(self) -> None:
        self._changed: dict[Key, float] = {}
        self._wrote: dict[Key, float] = {}

    def pause(self, group: Group, tally: Tally, wanted: Body, now: float) -> float | None:
        """Seconds until `wanted` is worth writing over the group's status; None when there is nothing to say."""
        if phase.differs(group.status, wanted):
            return max(0.0, _first(self._changed, group.ref, now) + _patience(group, tally) - now)
        self._changed.pop(group.ref, None)
        if phase.words_differ(group.status, wanted):
            return max(0.0, _first(self._wrote, group.ref, now) + WORDS_SECONDS - now)
        return None

    def wrote(self, ref: Key, now: float) -> None:
        self._wrote[ref] = now
        self._changed.pop(ref, None)

    def forget(self, ref: Key) -> None:
        self._wrote.pop(ref, None)
        self._changed.pop(ref, None)


def _patience(group: Group, tally: Tally) -> float:
    return ENDED_SECONDS if group.of_job and 0 < tally.pods == tally.finished else WRITE_SECONDS


def _first(memory: dict[Key, float], ref: Key, now: float) -> float:
    memory[ref] = min(memory.get(ref, now), now)
    return memory[ref]
