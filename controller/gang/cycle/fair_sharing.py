"""The order of groups: queues by priority, then by share; within a queue by PriorityClass, then age."""

from collections.abc import Iterable, Iterator

from controller.gang.cache.pending_group import PendingGroup
from controller.gang.cache.queue_usage import QueueUsage
from shared.key import Key

Rank = tuple[bool, bool, int, float, Key]


class FairSharingOrder:
    """Iterates over groups, choosing the next by what queues use at that moment. `first`: one that others were evicted for."""

    def __init__(self, groups: Iterable[PendingGroup], usage: QueueUsage, first: Key | None = None) -> None:
        self._usage = usage
        self._first = first
        self._queues: dict[str, list[PendingGroup]] = {}
        for each in groups:
            self._queues.setdefault(each.queue, []).append(each)
        for waiting in self._queues.values():
            waiting.sort(key=self._rank, reverse=True)  # the next one is last
        self._order: dict[str, tuple[float, ...]] = {}

    def __iter__(self) -> Iterator[PendingGroup]:
        while self._queues:
            name = min(self._queues, key=self._key)
            yield self._queues[name].pop()
            if not self._queues.get(name):
                self._queues.pop(name, None)

    def usage_changed(self) -> None:
        self._order.clear()

    def _key(self, name: str) -> tuple[bool, bool, tuple[float, ...], Rank]:
        order = self._order.get(name)
        if order is None:
            order = self._order[name] = self._usage.order(name)
        rank = self._rank(self._queues[name][-1])
        return rank[0], rank[1], order, rank

    def _rank(self, group: PendingGroup) -> Rank:
        """A started group goes first: until it is complete, it runs in part."""
        return not group.started, group.key != self._first, -group.priority, group.created, group.key
