"""May this gang start now? Its queue's limits, guarantees of others, room on nodes - and if not, why, with numbers."""

from collections.abc import Iterable, Mapping

import msgspec

from controller.gang.cache.cache import Floor
from controller.gang.cache.capacity import Capacity
from controller.gang.cache.pending_group import NOT_ENOUGH_RESOURCES, Candidate, Refusal
from controller.gang.cache.placement import Fit, fit, free_for, surely
from controller.gang.cache.pod_requirements import Amounts, Place, Shape, text, words
from controller.gang.cache.queue_tree import Shares
from controller.gang.cycle.reservation import Rooms

QUEUE_NOT_FOUND = "QueueNotFound"
QUEUE_PARENT_CYCLE = "QueueParentCycle"


class Verdict(msgspec.Struct, frozen=True):
    """Either a fit or a refusal."""

    fit: Fit | None = None
    refusal: Refusal | None = None


class Judge:
    """One round's. What was found not to fit is not tried again: in a round room only shrinks."""

    def __init__(self, floor: Floor, shares: Shares) -> None:
        self._floor = floor
        self._capacity: Capacity = floor.capacity
        self._shares = shares
        self._free = floor.capacity.free_total()
        self._failed: dict[tuple[object, bool, bool], Verdict] = {}
        self._hopeless: dict[tuple[Place, bool], list[tuple[Shape, int]]] = {}
        self._unsure: dict[Place, list[tuple[Shape, int]]] = {}
        self._open: dict[tuple[object, bool], tuple[Amounts, int]] = {}
        self._emptied: dict[str, Amounts] | None = None

    def admitted(self, candidate: Candidate) -> None:
        self._open.clear()
        for name, amount in candidate.amounts.items():
            self._free[name] = self._free.get(name, 0) - amount

    def judge(self, candidate: Candidate, rooms: Mapping[str, Amounts]) -> Verdict:
        """`rooms`: what this candidate may use of what is free."""
        refused = self._by_queue(candidate)
        if refused is not None:
            return refused
        if not self._capacity.known:
            return Verdict(
                Fit(tuple((shape, "", count) for shape, count in candidate.gang), candidate.size, candidate.size)
            )
        key = (candidate.gang, rooms is self._capacity.free, candidate.begun)
        known = self._failed.get(key)
        if known is not None:
            return known
        verdict = self._by_nodes(candidate, rooms)
        if verdict.fit is None:
            self._failed[key] = verdict
            return verdict
        return self._by_guarantees(candidate) or verdict

    def _by_queue(self, candidate: Candidate) -> Verdict | None:
        needs, name = candidate.amounts, candidate.queue
        if not self._floor.knows_queue(name):
            return Verdict(refusal=Refusal(QUEUE_NOT_FOUND, f"queue {name} does not exist", never=True))
        if cycle := self._floor.tree.cycle(name):
            message = (
                f"queue {name} has no limits that can be told: the parents of queues form a cycle, {' -> '.join(cycle)}"
            )
            return Verdict(refusal=Refusal(QUEUE_PARENT_CYCLE, message, never=True))
        for queue, resource, limit in self._shares.exceeds(name, needs):
            message = (
                f"never fits: {candidate.size} pods that start together need {resource} {text(resource, needs[resource])}, "
                f"queue {queue} may use {text(resource, limit)} (spec.capability)"
            )
            return Verdict(refusal=Refusal(NOT_ENOUGH_RESOURCES, message, never=True, queue=queue))
        for queue, resource, used, limit in self._shares.over(name, needs):
            message = (
                f"queue {queue} uses {resource} {text(resource, used)} of {text(resource, limit)} (spec.capability), "
                f"{candidate.size} pods that start together need {text(resource, needs[resource])} more"
            )
            return Verdict(refusal=Refusal(NOT_ENOUGH_RESOURCES, message, queue=queue))
        return None

    def _by_nodes(self, candidate: Candidate, rooms: Mapping[str, Amounts]) -> Verdict:
        whole = rooms is self._capacity.free
        short = any(self._free.get(name, 0) < amount for name, amount in candidate.amounts.items())
        found = None if short or self._is_hopeless(candidate, whole) else fit(candidate.gang, self._capacity, rooms)
        if found is None or not found.fits:
            if found is not None and len(candidate.gang) == 1:
                shape, count = candidate.gang[0]
                self._hopeless.setdefault((shape.place, whole), []).append((shape, count))
            return Verdict(refusal=self._no_room(candidate, rooms, found))
        return self._settled(candidate, found)

    def _is_hopeless(self, candidate: Candidate, whole: bool) -> bool:
        """Whether fewer or smaller pods of the same kind have not fitted in this round."""
        return any(
            _is_more(shape, count, self._hopeless.get((shape.place, whole), ())) for shape, count in candidate.gang
        )

    def _is_sure(self, candidate: Candidate) -> bool:
        """Where the scheduler could leave the last pod without a place, it could so with more or larger ones."""
        if any(_is_more(shape, count, self._unsure.get(shape.place, ())) for shape, count in candidate.gang):
            return False
        if surely(candidate.gang, self._floor.promises, self._capacity):
            return True
        if len(candidate.gang) == 1:
            ((shape, count),) = candidate.gang
            self._unsure.setdefault(shape.place, []).append((shape, count))
        return False

    def _settled(self, candidate: Candidate, found: Fit) -> Verdict:
        """The scheduler knows nothing of promises: it must be sure to bind all, or be told where, or others be bound first."""
        promises = self._floor.promises
        if not promises.pinned and self._is_sure(candidate):
            return Verdict(found)
        if promises.loose and not candidate.begun:
            message = f"there is room, once {promises.loose} pods that were admitted before are bound to nodes"
            return Verdict(refusal=Refusal(NOT_ENOUGH_RESOURCES, message, settling=True))
        return Verdict(msgspec.structs.replace(found, pinned=candidate.may_pin))

    def _no_room(self, candidate: Candidate, rooms: Mapping[str, Amounts], found: Fit | None) -> Refusal:
        gang, number = candidate.gang, candidate.size
        needs = candidate.needs
        if self._emptied is None:
            self._emptied = self._capacity.emptied()
        ever = fit(gang, self._capacity, self._emptied)
        if not ever.fits:
            message = f"never fits: {needs}; even with every other group gone {ever.fitting} would fit"
            return Refusal(NOT_ENOUGH_RESOURCES, f"{message} on {len(self._capacity.nodes)} nodes", never=True)
        key = frozenset(shape.place for shape, _ in gang), rooms is self._capacity.free
        if key not in self._open:
            self._open[key] = free_for(gang, self._capacity, rooms)
        free, nodes = self._open[key]
        fitting = "" if found is None else f"; {found.fitting} of {number} fit"
        if isinstance(rooms, Rooms):
            fitting += f"; more is kept for {rooms.holder}, which has waited longer"
        return Refusal(
            NOT_ENOUGH_RESOURCES,
            f"{needs}; free on {nodes} nodes: {words(free, candidate.amounts)}{fitting}",
            by_nodes=True,
        )

    def _by_guarantees(self, candidate: Candidate) -> Verdict | None:
        needs = candidate.amounts
        for resource, kept in self._shares.kept_for_others(candidate.queue).items():
            if resource in needs and kept > 0 and self._free.get(resource, 0) - needs[resource] < kept:
                message = (
                    f"{resource} {text(resource, kept)} is kept for the guarantee of other queues, "
                    f"{text(resource, self._free.get(resource, 0))} is free, {text(resource, needs[resource])} is needed"
                )
                return Verdict(refusal=Refusal(NOT_ENOUGH_RESOURCES, message))
        return None


def _is_more(shape: Shape, count: int, failed: Iterable[tuple[Shape, int]]) -> bool:
    return any(count >= number and _covers(shape, other) for other, number in failed)


def _covers(shape: Shape, other: Shape) -> bool:
    """Whether it asks for as much of everything."""
    asks = dict(shape.requests)
    return all(asks.get(name, 0) >= amount for name, amount in other.requests)
