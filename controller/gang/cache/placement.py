"""Whether a whole gang fits: pod by pod onto nodes, the largest first (first fit decreasing)."""

from collections.abc import Mapping, Sequence

import msgspec

from controller.gang.cache.assumed import Promises
from controller.gang.cache.capacity import Capacity, peaks, room_for, summed
from controller.gang.cache.pod_requirements import Amounts, Place, Shape

Gang = Sequence[tuple[Shape, int]]
Rooms = Mapping[str, Amounts]


class Fit(msgspec.Struct, frozen=True):
    """`placed`: shape, node, how many; `wanted`, `fitting`: pods. It fits when they are equal.

    `pinned`: the scheduler must be held to these very nodes, or it could place the pods so that some find no room.
    """

    placed: tuple[tuple[Shape, str, int], ...]
    wanted: int
    fitting: int
    pinned: bool = False

    @property
    def fits(self) -> bool:
        return self.fitting == self.wanted


def fit(gang: Gang, capacity: Capacity, rooms: Rooms, order: Mapping[str, int] | None = None) -> Fit:
    """Places for the gang in `rooms` (node -> what is free), as far as they go. `order`: which nodes first, low to high."""
    wanted = sum(count for _, count in gang)
    taken: dict[str, Amounts] = {}
    placed: list[tuple[Shape, str, int]] = []
    for shape, count in sorted(gang, key=lambda each: -_size(each[0], capacity)):
        names = capacity.eligible(shape.place)
        for name in sorted(names, key=lambda each: order.get(each, 0)) if order else names:
            if not count:
                break
            room = taken.get(name) or rooms.get(name)
            if room is None:
                continue
            number = min(count, room_for(room, shape.requests))
            if number:
                taken[name] = _taken(room, shape, number)
                placed.append((shape, name, number))
                count -= number
    return Fit(tuple(placed), wanted, sum(number for _, _, number in placed))


def surely(gang: Gang, promises: Promises, capacity: Capacity) -> bool:
    """Whether any scheduler that binds what fits will bind all of it, wherever it puts each pod.

    True when the nodes open to each kind of pod have at least as many places, each large enough for the largest of
    the gang and of what was promised before, as there are pods: then a free place is left for the last of them.
    """
    number = promises.shapes.total() + sum(count for _, count in gang)
    requests = tuple(peaks((promises.peaks, *(dict(shape.requests) for shape, _ in gang))).items())
    places = {*promises.places, *(shape.place for shape, _ in gang)}
    return all(_has_places(place, requests, number, capacity) for place in places)


def free_for(gang: Gang, capacity: Capacity, rooms: Rooms) -> tuple[Amounts, int]:
    """What the nodes open to the gang have free together, and how many nodes they are."""
    names = sorted({name for shape, _ in gang for name in capacity.eligible(shape.place) if name in rooms})
    free = summed(rooms[name] for name in names)
    return {name: max(0, amount) for name, amount in free.items()}, len(names)


def _has_places(place: Place, requests: tuple[tuple[str, int], ...], number: int, capacity: Capacity) -> bool:
    for name in capacity.eligible(place):
        number -= room_for(capacity.open[name], requests)
        if number <= 0:
            return True
    return False


def _size(shape: Shape, capacity: Capacity) -> float:
    """The largest part that the pod takes of a node, by any resource."""
    return max(amount / max(1, capacity.largest.get(name, 0)) for name, amount in shape.requests)


def _taken(room: Amounts, shape: Shape, number: int) -> Amounts:
    after = dict(room)
    for name, amount in shape.requests:
        after[name] = after.get(name, 0) - amount * number
    return after
