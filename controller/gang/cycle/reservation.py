"""Room kept for a large group that has waited long: nodes are chosen for it, and nobody else gets what ends there."""

from collections.abc import Iterator, Mapping

import msgspec

from controller.gang.cache.capacity import Capacity, less
from controller.gang.cache.pending_group import Candidate
from controller.gang.cache.placement import fit
from controller.gang.cache.pod_requirements import Amounts, added
from shared.key import Key


class Reservation(msgspec.Struct, frozen=True):
    """`kept`: node -> what is kept there; `epoch`: of the nodes it was made for."""

    ref: Key
    kept: Mapping[str, Amounts]
    epoch: int


def reserve(candidate: Candidate, capacity: Capacity) -> Reservation | None:
    """Nodes for the gang, as if no other group had pods there; those with most free first. None when it can never fit."""
    order = {
        name: position for position, name in enumerate(sorted(capacity.free, key=lambda each: _used(each, capacity)))
    }
    found = fit(candidate.gang, capacity, capacity.emptied(), order)
    if not found.fits:
        return None
    kept: dict[str, Amounts] = {}
    for shape, node, count in found.placed:
        kept[node] = added(kept.get(node, {}), {name: amount * count for name, amount in shape.requests})
    return Reservation(candidate.ref, kept, capacity.epoch)


class Rooms(Mapping[str, Amounts]):
    """What is free for everybody but the holder of a reservation."""

    def __init__(self, free: Mapping[str, Amounts], kept: Reservation) -> None:
        self._free = free
        self._kept = kept.kept
        self.holder = kept.ref

    def __getitem__(self, name: str) -> Amounts:
        room = self._free[name]
        return less(room, self._kept[name]) if name in self._kept else room

    def __iter__(self) -> Iterator[str]:
        return iter(self._free)

    def __len__(self) -> int:
        return len(self._free)


def _used(node: str, capacity: Capacity) -> float:
    """How full the node is, by its fullest resource: the emptier, the sooner it is free altogether."""
    allocatable, free = capacity.nodes[node].allocatable, capacity.free[node]
    return max((1 - free.get(name, 0) / amount for name, amount in allocatable.items() if amount), default=1.0)
