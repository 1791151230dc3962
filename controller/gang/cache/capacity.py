"""How much room the nodes have, kept up to date change by change: two views of it.

`free` is what may still be promised: allocatable minus bound pods minus what was promised to pods not yet bound;
`open` leaves promises out: what the scheduler, which knows nothing of them, may choose from. Of what only one pod of a node
can have, every node has one more than it says. `total` and `largest`: what all
nodes have together, and the most that one has.
"""

from collections.abc import Iterable, Mapping

from controller.gang.cache.exclusive_resources import is_exclusive
from controller.gang.cache.node import Node, admits
from controller.gang.cache.pod_requirements import Amounts, Place, Shape, added


class Capacity:
    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.free: dict[str, Amounts] = {}
        self.open: dict[str, Amounts] = {}
        self.foreign: dict[str, Amounts] = {}  # what pods of no group hold
        self._bound: dict[str, Amounts] = {}  # also of nodes that are not known (yet)
        self._promised: dict[str, Amounts] = {}
        self._eligible: dict[Place, tuple[str, ...]] = {}
        self.total: Amounts = {}
        self.largest: Amounts = {}
        self.epoch = 0  # of the set of nodes

    @property
    def known(self) -> bool:
        """Whether there is anything to judge by: a cluster without nodes promises nothing and refuses nobody."""
        return bool(self.nodes)

    def set_node(self, name: str, node: Node | None) -> bool:
        """Whether that changed anything."""
        if self.nodes.get(name) == node:
            return False
        self._eligible.clear()
        self.epoch += 1
        if node is None:
            del self.nodes[name], self.free[name], self.open[name]
        else:
            self.nodes[name] = node
            self._recount(name)
        self.total = summed(each.allocatable for each in self.nodes.values())
        self.largest = peaks(each.allocatable for each in self.nodes.values())
        return True

    def bind(self, node: str, shape: Shape, times: int, *, foreign: bool = False) -> None:
        """`times` pods of `shape` more on that node; negative when they have gone. `foreign`: they are of no group."""
        if foreign:
            _add(self.foreign, node, shape, times)
        _add(self._bound, node, shape, times)
        self._take(self.free, node, shape, times)
        self._take(self.open, node, shape, times)

    def promise(self, node: str, shape: Shape, times: int) -> None:
        _add(self._promised, node, shape, times)
        self._take(self.free, node, shape, times)

    def eligible(self, place: Place) -> tuple[str, ...]:
        """Names of the nodes that pods of that place may go to."""
        known = self._eligible.get(place)
        if known is None:
            known = tuple(sorted(name for name, node in self.nodes.items() if admits(node, place)))
            self._eligible[place] = known
        return known

    def emptied(self) -> dict[str, Amounts]:
        """What nodes would have free without any group's pods."""
        return {name: less(node.allocatable, self.foreign.get(name, {})) for name, node in self.nodes.items()}

    def free_total(self) -> Amounts:
        return summed({key: max(0, value) for key, value in room.items()} for room in self.free.values())

    def _recount(self, name: str) -> None:
        allocatable = self.nodes[name].allocatable
        self.open[name] = less(allocatable, self._bound.get(name, {}))
        self.free[name] = less(self.open[name], self._promised.get(name, {}))

    def _take(self, rooms: dict[str, Amounts], node: str, shape: Shape, times: int) -> None:
        room = rooms.get(node)
        if room is not None:
            for name, amount in shape.requests:
                room[name] = room.get(name, 0) - amount * times


def less(first: Mapping[str, int], second: Mapping[str, int]) -> Amounts:
    return {name: first.get(name, 0) - second.get(name, 0) for name in {**first, **second}}


def summed(rooms: Iterable[Mapping[str, int]]) -> Amounts:
    amounts: Amounts = {}
    for room in rooms:
        for name, amount in room.items():
            amounts[name] = amounts.get(name, 0) + amount
    return amounts


def peaks(rooms: Iterable[Mapping[str, int]]) -> Amounts:
    amounts: Amounts = {}
    for room in rooms:
        for name, amount in room.items():
            amounts[name] = max(amounts.get(name, 0), amount)
    return amounts


def room_for(room: Mapping[str, int], requests: Iterable[tuple[str, int]]) -> int:
    """How many pods that ask for `requests` (not empty) go into `room`."""
    most = -1
    for name, amount in requests:
        have = room.get(name, 0)
        number = have // amount if have > 0 else have + is_exclusive(name)
        if number <= 0:
            return 0
        if number < most or most < 0:
            most = number
    return max(0, most)


def _add(sums: dict[str, Amounts], node: str, shape: Shape, times: int) -> None:
    sums[node] = added(sums.get(node, {}), {name: amount * times for name, amount in shape.requests})
    if not any(sums[node].values()):
        del sums[node]
