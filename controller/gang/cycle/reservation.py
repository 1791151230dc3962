"""Nodes reserved for a large group that has waited long: other groups cannot use capacity that becomes free there."""

from collections.abc import Iterator, Mapping

import msgspec

from controller.gang.cache.amounts import Amounts, added, less, multiplied
from controller.gang.cache.capacity import ClusterCapacity, Free
from controller.gang.cache.pending_group import PendingGroup
from controller.gang.cache.placement import place
from shared.key import Key


class NodeReservation(msgspec.Struct, frozen=True):
    """`reserved`: node -> what is reserved on it; `generation`: of the nodes that it was made for."""

    key: Key
    reserved: Mapping[str, Amounts]
    generation: int


def reserve(group: PendingGroup, capacity: ClusterCapacity) -> NodeReservation | None:
    """Nodes for the gang as if no other group had pods there, the emptiest first. None when it would not fit even so."""
    by_usage = sorted(capacity.free, key=lambda name: _usage(name, capacity))
    order = {name: position for position, name in enumerate(by_usage)}
    found = place(group.gang, capacity, capacity.without_groups(), order)
    if not found.fits:
        return None
    reserved: dict[str, Amounts] = {}
    for pod, node, count in found.placed:
        reserved[node] = added(reserved.get(node, {}), multiplied(pod.requests, count))
    return NodeReservation(group.key, reserved, capacity.generation)


class Unreserved(Mapping[str, Amounts]):
    """What is free for all but the holder of a reservation."""

    def __init__(self, free: Free, reservation: NodeReservation) -> None:
        self._free = free
        self._reserved = reservation.reserved
        self.holder = reservation.key

    def __getitem__(self, name: str) -> Amounts:
        free = self._free[name]
        return less(free, self._reserved[name]) if name in self._reserved else free

    def __iter__(self) -> Iterator[str]:
        return iter(self._free)

    def __len__(self) -> int:
        return len(self._free)


def _usage(node: str, capacity: ClusterCapacity) -> float:
    """How full the node is, by its fullest resource: the emptier it is, the sooner it is free altogether."""
    allocatable, free = capacity.nodes[node].allocatable, capacity.free[node]
    return max((1 - free.get(name, 0) / amount for name, amount in allocatable.items() if amount), default=1.0)
