"""Eviction for reclaim (off by default): evicts whole groups of queues above their deserved share for a group whose
queue is below its share.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from controller.gang.cache.amounts import added
from controller.gang.cache.capacity import ClusterCapacity, Free
from controller.gang.cache.pending_group import PendingGroup
from controller.gang.cache.placement import place
from controller.gang.cache.pod_requirements import PODS
from controller.gang.cache.queue_tree import QueueInfo
from controller.gang.cache.queue_usage import QueueUsage
from controller.gang.cache.snapshot import RunningGroup
from shared.key import Key


class EvictionCandidate(msgspec.Struct, frozen=True):
    """`reclaiming`, `reclaimed`: the queues between each side and the nearest one above both."""

    group: RunningGroup
    reclaiming: tuple[QueueInfo, ...]
    reclaimed: tuple[QueueInfo, ...]


def groups_to_evict(
    pending: PendingGroup,
    evictable: Iterable[RunningGroup],
    capacity: ClusterCapacity,
    usage: QueueUsage,
    free: Free,
) -> tuple[Key, ...]:
    """The groups without which the pending one fits: lowest priority first, then the youngest, none without need. Empty
    when that cannot help, or when a queue would get more than it deserves. `free`: what the pending group may use."""
    simulation = _Simulation(pending, capacity, usage, free)
    chosen: list[EvictionCandidate] = []
    candidates = _candidates(pending, evictable, usage)
    for candidate in sorted(candidates, key=lambda each: (each.group.priority, -each.group.created)):
        if not simulation.uses_too_much(candidate):
            continue
        simulation.evict(candidate.group)
        chosen.append(candidate)
        if simulation.fits():
            return tuple(each.group.key for each in _needed(chosen, simulation))
    return ()


def _needed(chosen: Sequence[EvictionCandidate], simulation: "_Simulation") -> Iterator[EvictionCandidate]:
    """The groups without those whose eviction does not help, tested from the last one backwards."""
    yield chosen[-1]
    for candidate in reversed(chosen[:-1]):
        simulation.restore(candidate.group)
        if not simulation.fits():
            simulation.evict(candidate.group)
            yield candidate


class _Simulation:
    """Capacity and usage as they would be without some groups."""

    def __init__(self, pending: PendingGroup, capacity: ClusterCapacity, usage: QueueUsage, free: Free) -> None:
        self._pending = pending
        self._needs = pending.amounts
        self._capacity = capacity
        self._usage = usage.copy()
        self._nodes = {name: dict(free[name]) for name in free}
        self._free = capacity.free_total()

    def uses_too_much(self, candidate: EvictionCandidate) -> bool:
        """Whether each of its queues uses more than it deserves of something that is needed."""
        return all(
            any(self._usage.of(queue.name).get(name, 0) > deserved[name] for name in self._needs if name in deserved)
            for queue in candidate.reclaimed
            for deserved in (self._usage.deserved(queue),)
        )

    def evict(self, group: RunningGroup) -> None:
        self._move(group, -1)

    def restore(self, group: RunningGroup) -> None:
        self._move(group, 1)

    def fits(self) -> bool:
        capacity, queue = self._capacity, self._pending.queue
        if next(self._usage.over_capability(queue, self._needs), None) is not None:
            return False
        if not capacity.known:
            return True
        kept = self._usage.guaranteed_to_others(queue)
        if any(
            kept[name] > max(0, self._free.get(name, 0) - need) for name, need in self._needs.items() if name in kept
        ):
            return False
        return place(self._pending.gang, capacity, self._nodes).fits

    def _move(self, group: RunningGroup, times: int) -> None:
        for node, requirements, count in group.bound:
            if node not in self._nodes:
                continue
            for name, amount in requirements.requests:
                for free in (self._nodes[node], self._free):
                    free[name] = free.get(name, 0) - times * count * amount
        self._usage.use(group.queue, {name: times * amount for name, amount in group.requests.items()})


def _candidates(
    pending: PendingGroup, evictable: Iterable[RunningGroup], usage: QueueUsage
) -> Iterator[EvictionCandidate]:
    """Groups of other queues that may be evicted for this one, whether or not their queues use too much."""
    own = usage.tree.path(pending.queue)
    for group in evictable:
        if group.queue == pending.queue or group.priority > pending.priority:
            continue
        reclaiming, reclaimed = _branches(own, usage.tree.path(group.queue))
        if _deserves(pending, reclaiming, usage):
            yield EvictionCandidate(group, reclaiming, reclaimed)


def _branches(
    first: tuple[QueueInfo, ...], second: tuple[QueueInfo, ...]
) -> tuple[tuple[QueueInfo, ...], tuple[QueueInfo, ...]]:
    shared = 0
    while shared < min(len(first), len(second)) and first[shared].name == second[shared].name:
        shared += 1
    return first[shared:], second[shared:]


def _deserves(pending: PendingGroup, queues: tuple[QueueInfo, ...], usage: QueueUsage) -> bool:
    """Whether the queues deserve that much. A resource that no queue deserves anything of cannot be reclaimed."""
    for queue in queues:
        deserved, after = usage.deserved(queue), added(usage.of(queue.name), pending.amounts)
        for name in pending.amounts:
            if name not in deserved and name == PODS:
                continue
            if after[name] > deserved.get(name, 0):
                return False
    return True
