"""Runs many actions concurrently, with creations in growing batches of 1, 2, 4, ... per kind and namespace.

A quota is then exceeded by one request and not by 500; the Job controller of Kubernetes does the same. If the last
creation of that kind in that namespace succeeded, the first batch is larger, so that small fan-outs need one round trip.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from controller.decision import Action, Create
from shared.kinds import Kind

FIRST_BATCH: Final = 1
FIRST_BATCH_AFTER_SUCCESS: Final = 16
LARGEST_BATCH: Final = 16  # fewer than the client has connections, so that other requests find a free one
REMEMBERED: Final = 4096

Perform = Callable[[Action], Awaitable[None]]
Failure = tuple[Action, Exception]
KindAndNamespace = tuple[Kind, str]


class SlowStart:
    def __init__(self) -> None:
        self._succeeded: dict[KindAndNamespace, None] = {}

    async def run(self, actions: Sequence[Action], perform: Perform) -> list[Failure]:
        """Perform deletions and patches at once and creations in growing batches. Returns the failures.

        After a batch with a failure, the remaining creations of that kind and namespace are not tried.
        """
        creations: dict[KindAndNamespace, list[Action]] = {}
        others: list[Action] = []
        for action in actions:
            if isinstance(action, Create):
                group_key = (action.kind, action.body["metadata"].get("namespace", ""))
                creations.setdefault(group_key, []).append(action)
            else:
                others.append(action)
        if len(creations) == 1 and not others:  # without tasks, so that the next Job of a flow is created sooner
            [(group_key, group)] = creations.items()
            return await self._batches(group_key, group, perform)
        jobs = [self._batches(group_key, group, perform) for group_key, group in creations.items()]
        results = await asyncio.gather(_together(others, perform), *jobs)
        return [failure for result in results for failure in result]

    async def _batches(self, group_key: KindAndNamespace, actions: Sequence[Action], perform: Perform) -> list[Failure]:
        size = FIRST_BATCH_AFTER_SUCCESS if group_key in self._succeeded else FIRST_BATCH
        start = 0
        while start < len(actions):
            failures = await _together(actions[start : start + size], perform)
            if failures:
                self._succeeded.pop(group_key, None)
                return failures
            self._mark_succeeded(group_key)
            start += size
            size = min(2 * size, LARGEST_BATCH)
        return []

    def _mark_succeeded(self, group_key: KindAndNamespace) -> None:
        self._succeeded[group_key] = None
        if len(self._succeeded) > REMEMBERED:
            self._succeeded.pop(next(iter(self._succeeded)))


async def _together(actions: Sequence[Action], perform: Perform) -> list[Failure]:
    """Perform all actions concurrently, even if some fail. Returns the failures."""
    if len(actions) == 1:
        return await _one(actions[0], perform)
    results = await asyncio.gather(*(_one(action, perform) for action in actions))
    return [failure for result in results for failure in result]


async def _one(action: Action, perform: Perform) -> list[Failure]:
    try:
        await perform(action)
    except Exception as error:  # noqa: BLE001 - returned, so that the other actions continue
        return [(action, error)]
    return []
