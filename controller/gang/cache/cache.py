"""Everything that admission looks at, kept up to date change by change, so that a round need not look at every pod."""

from collections.abc import Iterable, Iterator

import msgspec

from controller.gang.cache.assumed import Promises
from controller.gang.cache.capacity import Capacity, room_for
from controller.gang.cache.group import Group, group_of
from controller.gang.cache.node import node_of
from controller.gang.cache.pending_group import Candidate, candidate
from controller.gang.cache.pod import Member, member_of
from controller.gang.cache.pod_counts import Tally
from controller.gang.cache.pod_requirements import Amounts
from controller.gang.cache.queue_tree import Queue, Tree, queue_of
from shared.key import Key
from shared.model.types import Body
from shared.names import DEFAULT_QUEUE


class Grant(msgspec.Struct, frozen=True):
    """A pod to let go; `node`: the only one that it may go to, "" for any."""

    member: Member
    node: str = ""


class Floor:
    """`version` grows whenever something changes that may let a group in that was refused before."""

    def __init__(self) -> None:
        self.capacity = Capacity()
        self.promises = Promises(self.capacity)
        self.groups: dict[Key, Group] = {}
        self.tallies: dict[Key, Tally] = {}
        self.waiting: set[Key] = set()
        self.unplaced: set[str] = set()
        self.granted: dict[Key, dict[str, Grant]] = {}  # admitted, their gates not lifted yet
        self.version = 0
        self._members: dict[str, Member] = {}
        self._of: dict[Key, dict[str, Member]] = {}
        self._candidates: dict[Key, Candidate] = {}
        self._queues: dict[str, Queue] = {}
        self._tree: Tree | None = None
        self._classes: dict[str, int] = {}

    # --- changes ------------------------------------------------------------------------------------------------------

    def pod(self, old: Body | None, new: Body | None) -> tuple[Key, ...]:
        """A pod changed: the group it concerns, if any."""
        uid = str((new or old or {})["metadata"].get("uid", ""))
        before, after = self._members.get(uid), member_of(new) if new else None
        if before == after:
            return ()
        if before is not None:
            self._leave(before)
        if after is not None:
            self._enter(after)
        self._promise(uid, before, after)
        if before and before.holds and not (after and after.holds):
            self.version += 1
        group = after.group if after else before.group if before else None
        return (group,) if group else ()

    def group(self, old: Body | None, new: Body | None) -> tuple[Key, ...]:
        after = group_of(new) if new else None
        ref = after.ref if after else group_of(old).ref if old else None
        if ref is None or self.groups.get(ref) == after:
            return ()
        self._candidates.pop(ref, None)
        if after is None:
            self.groups.pop(ref, None)
            self.version += 1
        else:
            self.groups[ref] = after
        self._tell(ref)
        return (ref,)

    def node(self, old: Body | None, new: Body | None) -> bool:
        """Whether that changed what fits."""
        body = new or old or {}
        changed = self.capacity.set_node(body["metadata"]["name"], node_of(new) if new else None)
        self.version += changed
        return changed

    def queue(self, old: Body | None, new: Body | None) -> bool:
        name = (new or old or {})["metadata"]["name"]
        after = queue_of(new) if new else None
        if self._queues.get(name) == after:
            return False
        if after is None:
            del self._queues[name]
        else:
            self._queues[name] = after
        self._tree = None
        self.version += 1
        return True

    def priority_class(self, old: Body | None, new: Body | None) -> None:
        name = (new or old or {})["metadata"]["name"]
        self._classes[name] = int((new or {}).get("value") or 0)
        self._candidates.clear()

    # --- answers ------------------------------------------------------------------------------------------------------

    @property
    def tree(self) -> Tree:
        if self._tree is None:
            self._tree = Tree(self._queues.values())
        return self._tree

    def knows_queue(self, name: str) -> bool:
        return name in self.tree.queues

    def members(self, ref: Key) -> Iterable[Member]:
        return self._of.get(ref, {}).values()

    def tally(self, ref: Key) -> Tally:
        return self.tallies.get(ref) or Tally()

    def candidates(self) -> Iterator[Candidate]:
        """Every group that has gated pods and is there to stay."""
        for ref in self.waiting:
            group = self.groups.get(ref)
            if group is not None and not group.terminating:
                yield self.candidate(group)

    def candidate(self, group: Group) -> Candidate:
        known = self._candidates.get(group.ref)
        if known is None:
            known = candidate(group, self.members(group.ref), self.class_value(group.priority_class))
            self._candidates[group.ref] = known
        return known

    def class_value(self, name: str) -> int | None:
        return self._classes.get(name, 0) if name else None

    def used(self) -> dict[str, Amounts]:
        """Queue -> what its groups hold: pods let go or bound, and what was promised to pods to come."""
        sums: dict[str, Amounts] = {}
        for ref, tally in self.tallies.items():
            if tally.held:
                _add(sums.setdefault(self.queue_of(ref), {}), tally.held)
        for ref, grants in self.granted.items():
            for grant in grants.values():
                _add(sums.setdefault(self.queue_of(ref), {}), grant.member.shape.amounts)
        for booking in self.promises.bookings:
            group = self.groups.get(booking.group)
            _add(sums.setdefault(group.queue if group else booking.queue, {}), booking.slot.shape.amounts)
        return sums

    def queue_of(self, ref: Key) -> str:
        """The queue of a group; by its pods while the group itself is not known, since they may be seen before it."""
        group = self.groups.get(ref)
        if group is not None:
            return group.queue
        return next((each.queue for each in self.members(ref)), DEFAULT_QUEUE)

    def grant(self, member: Member, node: str, *, pinned: bool) -> None:
        """Admit a gated pod; `node`: where room is kept for it until it is bound; `pinned`: it can go there only."""
        if member.group is not None:
            self.granted.setdefault(member.group, {})[member.uid] = Grant(member, node if pinned else "")
            self.promises.give(member, node, pinned=pinned)

    def place_unplaced(self) -> None:
        """Find places to assume for pods that were let go without one (after a restart of this process)."""
        for uid in list(self.unplaced):
            member = self._members.get(uid)
            node = self._room(member) if member else None
            if member is not None and node is not None:
                self.promises.give(member, node)
        self.unplaced.clear()

    def _room(self, member: Member) -> str | None:
        names = self.capacity.eligible(member.shape.place)
        rooms = self.capacity.free
        return next((name for name in names if room_for(rooms[name], member.shape.requests)), None)

    # --- keeping count ------------------------------------------------------------------------------------------------

    def _enter(self, member: Member) -> None:
        self._members[member.uid] = member
        if member.holds:
            self.capacity.bind(member.node, member.shape, 1, foreign=member.group is None)
        if member.group is not None:
            self._of.setdefault(member.group, {})[member.uid] = member
            self.tallies.setdefault(member.group, Tally()).count(member, 1)
            self._tell(member.group)

    def _leave(self, member: Member) -> None:
        del self._members[member.uid]
        if member.holds:
            self.capacity.bind(member.node, member.shape, -1, foreign=member.group is None)
        if member.group is not None:
            members, tally = self._of[member.group], self.tallies[member.group]
            del members[member.uid]
            tally.count(member, -1)
            if not members:
                del self._of[member.group], self.tallies[member.group]
            self._tell(member.group)

    def _tell(self, ref: Key) -> None:
        self._candidates.pop(ref, None)
        (self.waiting.add if self.tally(ref).waiting else self.waiting.discard)(ref)

    def _promise(self, uid: str, before: Member | None, after: Member | None) -> None:
        """Keep promises in line: one to each pod of a group that is to be bound, none to others."""
        self.unplaced.discard(uid)
        if before is not None and before.group in self.granted and not (after is not None and after.waits):
            self.granted[before.group].pop(uid, None)
            if not self.granted[before.group]:
                del self.granted[before.group]
        if after is None or after.group is None or not after.expected:
            if after is not None and before is None:
                self.promises.redeem(after)  # bound from the first: it names its node
            kept = after is not None and after.waits
            if not kept and self.promises.take_back(uid):
                self.version += 1
        elif not self.promises.holds(uid) and not self.promises.redeem(after):
            self.unplaced.add(uid)


def _add(sums: Amounts, amounts: Amounts) -> None:
    for name, amount in amounts.items():
        sums[name] = sums.get(name, 0) + amount
