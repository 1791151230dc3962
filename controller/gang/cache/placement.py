"""Places a whole gang on nodes: pod by pod, the largest first, each on the first node with room (first fit decreasing)."""

from collections.abc import Mapping, Sequence

import msgspec

from controller.gang.cache.amounts import Amounts, largest, less, multiplied, pods_that_fit, summed
from controller.gang.cache.assumed import AssumedTotals
from controller.gang.cache.capacity import ClusterCapacity, Free
from controller.gang.cache.pod_requirements import NodeConstraints, PodRequirements

Gang = Sequence[tuple[PodRequirements, int]]


class Placement(msgspec.Struct, frozen=True):
    """`placed`: requirements, node, how many pods; `wanted`, `fitting`: numbers of pods, equal when the gang fits.

    `pinned`: the pods must be held to these nodes: the scheduler could place them otherwise, with no room for the last.
    """

    placed: tuple[tuple[PodRequirements, str, int], ...]
    wanted: int
    fitting: int
    pinned: bool = False

    @property
    def fits(self) -> bool:
        return self.fitting == self.wanted


def place(
    gang: Gang,
    capacity: ClusterCapacity,
    free: Free,
    order: Mapping[str, int] | None = None,
    *,
    in_any_condition: bool = False,
) -> Placement:
    """Nodes for as much of the gang as fits in `free`. `order`: which nodes first, low to high; `in_any_condition`: also
    nodes that are cordoned or not ready."""
    wanted = sum(count for _, count in gang)
    taken: dict[str, Amounts] = {}
    placed: list[tuple[PodRequirements, str, int]] = []
    for pod, count in sorted(gang, key=lambda each: -_size(each[0], capacity)):
        names = capacity.eligible(pod.constraints, in_any_condition=in_any_condition)
        for name in sorted(names, key=lambda each: order.get(each, 0)) if order else names:
            if not count:
                break
            room = taken.get(name) or free.get(name)
            if room is None:
                continue
            number = min(count, pods_that_fit(room, pod.requests))
            if number:
                taken[name] = less(room, multiplied(pod.requests, number))
                placed.append((pod, name, number))
                count -= number
    return Placement(tuple(placed), wanted, sum(number for _, _, number in placed))


def fits_wherever_pods_go(gang: Gang, assumed: AssumedTotals, capacity: ClusterCapacity) -> bool:
    """Whether any scheduler that binds what fits binds all of the gang, whichever nodes it chooses.

    True when the nodes open to each kind of pod have at least as many places as there are pods, each place large enough for
    the largest of the gang and of the assumed pods: then a place is left for the last pod.
    """
    number = assumed.pods.total() + sum(count for _, count in gang)
    requests = tuple(largest((assumed.largest, *(dict(pod.requests) for pod, _ in gang))).items())
    constraints = {*assumed.constraints, *(pod.constraints for pod, _ in gang)}
    return all(_has_places(each, requests, number, capacity) for each in constraints)


def free_for(gang: Gang, capacity: ClusterCapacity, free: Free) -> tuple[Amounts, tuple[str, ...]]:
    """What the nodes eligible for the gang have free together, and their names."""
    names = sorted({name for pod, _ in gang for name in capacity.eligible(pod.constraints) if name in free})
    found = summed(free[name] for name in names)
    return {name: max(0, amount) for name, amount in found.items()}, tuple(names)


def _has_places(
    constraints: NodeConstraints, requests: tuple[tuple[str, int], ...], number: int, capacity: ClusterCapacity
) -> bool:
    for name in capacity.eligible(constraints):
        number -= pods_that_fit(capacity.unbound[name], requests)
        if number <= 0:
            return True
    return False


def _size(pod: PodRequirements, capacity: ClusterCapacity) -> float:
    """The largest part of a node that the pod takes, by any resource."""
    return max(amount / max(1, capacity.largest_node.get(name, 0)) for name, amount in pod.requests)
