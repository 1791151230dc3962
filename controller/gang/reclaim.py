"""Opt-in: whole groups of queues above what they deserve give way to a group whose queue is below it."""

from collections.abc import Iterator

import msgspec

from controller.gang.candidate import Candidate
from controller.gang.fit import fit
from controller.gang.floor import Floor
from controller.gang.queues import Queue, Shares
from controller.gang.ref import Ref
from controller.gang.shape import Amounts, added


class Victim(msgspec.Struct, frozen=True):
    ref: Ref
    queue: Queue
    priority: int
    created: float


def victims(claimant: Candidate, floor: Floor, shares: Shares) -> list[Ref]:
    """The groups to evict so that the claimant fits: lowest priority first, then the youngest. Empty when that cannot
    help, or when the claimant's queue would get more than it deserves."""
    queue = floor.tree.queues.get(claimant.queue)
    if queue is None or _exceeds(added(shares.of(queue.name), claimant.amounts), shares.deserved(queue), claimant):
        return []
    rooms = {name: dict(room) for name, room in floor.capacity.free.items()}
    used: dict[str, Amounts] = {}
    chosen: list[Ref] = []
    for victim in sorted(_possible(claimant, floor), key=lambda each: (each.priority, -each.created)):
        uses = used.setdefault(victim.queue.name, shares.of(victim.queue.name))
        if not _exceeds(uses, shares.deserved(victim.queue), claimant):
            continue
        for member in floor.members(victim.ref):
            room = rooms.get(member.node) if member.holds else None
            if room is not None:
                for name, amount in member.shape.requests:
                    room[name] = room.get(name, 0) + amount
        held = floor.tally(victim.ref).held
        used[victim.queue.name] = {name: amount - held.get(name, 0) for name, amount in uses.items()}
        chosen.append(victim.ref)
        if fit(claimant.gang, floor.capacity, rooms).fits:
            return chosen
    return []


def _possible(claimant: Candidate, floor: Floor) -> Iterator[Victim]:
    for ref, tally in floor.tallies.items():
        group = floor.groups.get(ref)
        if group is None or ref == claimant.ref or group.queue == claimant.queue or not any(tally.held.values()):
            continue
        queue = floor.tree.queues.get(group.queue)
        members = list(floor.members(ref))
        if queue is None or not queue.reclaimable or any(each.holds and not each.owned for each in members):
            continue
        named = floor.class_value(group.priority_class)
        priority = max((each.priority for each in members), default=0) if named is None else named
        if priority <= claimant.priority:
            yield Victim(ref, queue, priority, group.created)


def _exceeds(uses: Amounts, deserved: Amounts, claimant: Candidate) -> bool:
    """By a resource that the claimant needs."""
    return any(uses.get(name, 0) > deserved[name] for name in claimant.amounts if name in deserved)
