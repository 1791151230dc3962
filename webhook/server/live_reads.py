"""The reads from the API server for one review. Together they take no longer than the API server waits for the answer."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from shared.kinds import Kind
from shared.model.types import Body
from webhook.subject.lookups import MissingObject

MOST_SECONDS: Final = 3.0
LEAST_SECONDS: Final = 0.5
_REST_SECONDS: Final = 2.0  # of the time-out: for judging and for the way
_USUAL_SECONDS: Final = 5.0  # the chart's time-out
_TIMEOUT: Final = re.compile(r"([0-9]{1,3})s")

T = TypeVar("T")
Find = Callable[[Iterable[MissingObject], float], Awaitable[Sequence[tuple[Kind, Body]]]]
"""Reads the objects that exist, within so many seconds; an object that cannot be read in time counts as missing."""
ListLive = Callable[[Kind, str, float], Awaitable[Sequence[Body] | None]]
"""All objects of a namespace, or None if they cannot be read within so many seconds."""


def seconds_for_reads(timeout: str) -> float:
    """How long the reads of a review may take. `timeout`: the query parameter that an API server sends, such as "5s"."""
    found = _TIMEOUT.fullmatch(timeout)
    return max(LEAST_SECONDS, min(MOST_SECONDS, (float(found[1]) if found else _USUAL_SECONDS) - _REST_SECONDS))


class LiveReads:
    """The reads of one review. `clock`: monotonic seconds; `ends`: when the last read has to end, by that clock.

    `spent`: seconds that reads have taken.
    """

    def __init__(self, find: Find, list_live: ListLive, clock: Callable[[], float], ends: float) -> None:
        self._find = find
        self._list_live = list_live
        self._clock = clock
        self._ends = ends
        self.spent = 0.0

    async def find(self, missing: Iterable[MissingObject]) -> Sequence[tuple[Kind, Body]]:
        """The objects that exist and can be read in time."""
        return await self._timed(lambda left: self._find(missing, left))

    async def list(self, kind: Kind, namespace: str) -> Sequence[Body] | None:
        """All objects of a namespace ('': of all), or None if they cannot be read in time."""
        return await self._timed(lambda left: self._list_live(kind, namespace, left))

    async def _timed(self, read: Callable[[float], Awaitable[T]]) -> T:
        begun = self._clock()
        try:
            return await read(max(0.0, self._ends - begun))
        finally:
            self.spent += self._clock() - begun
