"""When the status of a group is written: changes within a short time are combined, and groups of ended Jobs are deleted
soon anyway.
"""

from typing import Final

from controller.gang.cache.pod_counts import GroupPodCounts
from controller.gang.cache.pod_group import PodGroupInfo
from controller.gang.podgroup import phase
from shared.key import Key
from shared.model.types import Body

CHANGES_SECONDS: Final = 2.0  # changes within it are written once; groups of short Jobs are gone by then
ENDED_SECONDS: Final = 10.0  # for a Job's group whose pods have all ended: the Job deletes it
NUMBERS_SECONDS: Final = 3.0  # for numbers in the message of a group that keeps waiting...
NUMBERS_RATE: Final = 5.0  # ...of which at most so many are written a second: one pod that ends changes all of them...
MOST_NUMBERS_SECONDS: Final = 30.0  # ...but each is written after so many seconds


class StatusThrottle:
    """Since when the status of each group differs, and when it was written. Times are epoch seconds."""

    def __init__(self) -> None:
        self._differs_since: dict[Key, float] = {}
        self._wrote_at: dict[Key, float] = {}
        self._other_numbers: set[Key] = set()

    def pause(self, group: PodGroupInfo, counts: GroupPodCounts, wanted: Body, now: float) -> float | None:
        """Seconds until `wanted` is to replace the group's status; None when there is nothing to write."""
        if phase.differs(group.status, wanted):
            return max(0.0, _earliest(self._differs_since, group.key, now) + _delay(group, counts) - now)
        self._differs_since.pop(group.key, None)
        if phase.messages_differ(group.status, wanted):
            self._other_numbers.add(group.key)
            return max(0.0, _earliest(self._wrote_at, group.key, now) + self._numbers_delay() - now)
        self._other_numbers.discard(group.key)
        return None

    def _numbers_delay(self) -> float:
        return min(max(NUMBERS_SECONDS, len(self._other_numbers) / NUMBERS_RATE), MOST_NUMBERS_SECONDS)

    def wrote(self, key: Key, now: float) -> None:
        self._wrote_at[key] = now
        self._differs_since.pop(key, None)
        self._other_numbers.discard(key)

    def forget(self, key: Key) -> None:
        self._wrote_at.pop(key, None)
        self._differs_since.pop(key, None)
        self._other_numbers.discard(key)


def _delay(group: PodGroupInfo, counts: GroupPodCounts) -> float:
    return ENDED_SECONDS if group.of_job and 0 < counts.pods == counts.finished else CHANGES_SECONDS


def _earliest(times: dict[Key, float], key: Key, now: float) -> float:
    """The known time, or now; a clock that was set back costs one delay at most."""
    times[key] = min(times.get(key, now), now)
    return times[key]
