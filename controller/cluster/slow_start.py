"""Many actions at once, but carefully: 1, 2, 4... creations of a kind, so that a quota is hit once and not 500 times.

The Job controller of Kubernetes does so. Where the last creation of that kind in that namespace went well, the first
batch is larger: a chain of small fan-outs must not pay round trips for a caution that experience has answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from controller.decision import Action, Create
from shared.kinds import Kind

FIRST: Final = 1
TRUSTED: Final = 32
LARGEST: Final = 500
REMEMBERED: Final = 4096

Perform = Callable[[Action], Awaitable[None]]
Failure = tuple[Action, Exception]
Place = tuple[Kind, str]


class SlowStart:
    def __init__(self) -> None:
        self._trusted: dict[Place, None] = {}

    async def run(self, actions: Sequence[Action], perform: Perform) -> list[Failure]:
        """Perform all, deletions and patches at once, creations in growing batches; the failures. A failed batch is
        the last of its kind: what comes after it is not tried."""
        creations: dict[Place, list[Action]] = {}
        others: list[Action] = []
        for action in actions:
            if isinstance(action, Create):
                place = (action.kind, action.body["metadata"].get("namespace", ""))
                creations.setdefault(place, []).append(action)
            else:
                others.append(action)
        jobs = [self._batches(place, group, perform) for place, group in creations.items()]
        results = await asyncio.gather(_together(others, perform), *jobs)
        return [failure for result in results for failure in result]

    async def _batches(self, place: Place, actions: Sequence[Action], perform: Perform) -> list[Failure]:
        size = TRUSTED if place in self._trusted else FIRST
        start = 0
        while start < len(actions):
            failures = await _together(actions[start : start + size], perform)
            if failures:
                self._trusted.pop(place, None)
                return failures
            self._trust(place)
            start += size
            size = min(2 * size, LARGEST)
        return []

    def _trust(self, place: Place) -> None:
        self._trusted[place] = None
        if len(self._trusted) > REMEMBERED:
            self._trusted.pop(next(iter(self._trusted)))


async def _together(actions: Sequence[Action], perform: Perform) -> list[Failure]:
    """Every action is tried, whatever becomes of the others; those that failed."""
    if len(actions) == 1:
        return await _one(actions[0], perform)
    results = await asyncio.gather(*(_one(action, perform) for action in actions))
    return [failure for result in results for failure in result]


async def _one(action: Action, perform: Perform) -> list[Failure]:
    try:
        await perform(action)
    except Exception as error:  # noqa: BLE001 - returned, so that the siblings go on
        return [(action, error)]
    return []
