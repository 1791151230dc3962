"""Opt-in: whole groups of queues above what they deserve give way to a group whose queue is below it."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from controller.gang.cache.cache import Floor
from controller.gang.cache.pending_group import Candidate
from controller.gang.cache.placement import fit
from controller.gang.cache.pod_requirements import PODS, Amounts, added
from controller.gang.cache.queue_tree import Queue, Shares
from shared.key import Key


class Victim(msgspec.Struct, frozen=True):
    """`claims`, `holds`: the queues between each side and the nearest one above both."""

    ref: Key
    queue: str
    priority: int
    created: float
    claims: tuple[Queue, ...]
    holds: tuple[Queue, ...]


def victims(claimant: Candidate, floor: Floor, shares: Shares, rooms: Mapping[str, Amounts]) -> list[Key]:
    """The groups to evict so that the claimant fits: lowest priority first, then the youngest, none without need. Empty
    when that cannot help, or when a queue would get more than it deserves. `rooms`: what the claimant may use."""
    trial = _Trial(claimant, floor, shares, rooms)
    chosen: list[Victim] = []
    for victim in sorted(_possible(claimant, floor, shares), key=lambda each: (each.priority, -each.created)):
        if not trial.has_too_much(victim):
            continue
        trial.move(victim, -1)
        chosen.append(victim)
        if trial.fits():
            return [each.ref for each in _needed(chosen, trial)]
    return []


def _needed(chosen: Sequence[Victim], trial: "_Trial") -> Iterator[Victim]:
    """Without those whose room is of no use, from the last one taken backwards; the very last was."""
    yield chosen[-1]
    for victim in reversed(chosen[:-1]):
        trial.move(victim, 1)
        if not trial.fits():
            trial.move(victim, -1)
            yield victim


class _Trial:
    """The books as they would be without some groups."""

    def __init__(self, claimant: Candidate, floor: Floor, shares: Shares, rooms: Mapping[str, Amounts]) -> None:
        self._claimant = claimant
        self._floor = floor
        self._shares = shares.copy()
        self._rooms = {name: dict(rooms[name]) for name in rooms}
        self._free = floor.capacity.free_total()

    def has_too_much(self, victim: Victim) -> bool:
        """Whether each of its queues holds more than it deserves of something that the claimant needs."""
        return all(
            any(self._shares.of(queue.name).get(name, 0) > deserved[name] for name in self._needs if name in deserved)
            for queue in victim.holds
            for deserved in (self._shares.deserved(queue),)
        )

    def move(self, victim: Victim, times: int) -> None:
        """Take the group's pods off their nodes (-1), or put them back (1)."""
        for member in self._floor.members(victim.ref):
            if not member.holds or member.node not in self._rooms:
                continue
            room = self._rooms[member.node]
            for name, amount in member.shape.requests:
                room[name] = room.get(name, 0) - times * amount
                self._free[name] = self._free.get(name, 0) - times * amount
        held = self._floor.tally(victim.ref).held
        self._shares.use(victim.queue, {name: times * amount for name, amount in held.items()})

    def fits(self) -> bool:
        capacity, queue = self._floor.capacity, self._claimant.queue
        if next(self._shares.over(queue, self._needs), None) is not None:
            return False
        if not capacity.known:
            return True
        kept = self._shares.kept_for_others(queue)
        if any(
            kept[name] > max(0, self._free.get(name, 0) - need) for name, need in self._needs.items() if name in kept
        ):
            return False
        return fit(self._claimant.gang, capacity, self._rooms).fits

    @property
    def _needs(self) -> Amounts:
        return self._claimant.amounts


def _possible(claimant: Candidate, floor: Floor, shares: Shares) -> Iterator[Victim]:
    """Groups of other queues that may be evicted for this claimant, whether or not they have too much."""
    own = floor.tree.path(claimant.queue)
    for ref, tally in floor.tallies.items():
        group = floor.groups.get(ref)
        if group is None or group.queue == claimant.queue or not any(tally.held.values()):
            continue
        queue, members = floor.tree.queues.get(group.queue), list(floor.members(ref))
        if queue is None or not queue.reclaimable or any(not each.may_go for each in members):
            continue
        named = floor.class_value(group.priority_class)
        priority = max((each.priority for each in members), default=0) if named is None else named
        claims, holds = _branches(own, floor.tree.path(group.queue))
        if priority <= claimant.priority and _deserves(claimant, claims, shares):
            yield Victim(ref, group.queue, priority, group.created, claims, holds)


def _branches(first: tuple[Queue, ...], second: tuple[Queue, ...]) -> tuple[tuple[Queue, ...], tuple[Queue, ...]]:
    shared = 0
    while shared < min(len(first), len(second)) and first[shared].name == second[shared].name:
        shared += 1
    return first[shared:], second[shared:]


def _deserves(claimant: Candidate, queues: tuple[Queue, ...], shares: Shares) -> bool:
    """Whether the queues may have that much. A resource that nobody has a share of is nobody's to claim."""
    for queue in queues:
        deserved, after = shares.deserved(queue), added(shares.of(queue.name), claimant.amounts)
        for name in claimant.amounts:
            if name not in deserved and name == PODS:
                continue
            if after[name] > deserved.get(name, 0):
                return False
    return True
