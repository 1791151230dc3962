"""Whether a gang may start now: the limits of its queue, guarantees of others, room on nodes; and if not, why."""

from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from controller.gang.cache.amounts import Amounts, format_amount, format_amounts, largest, summed
from controller.gang.cache.assumed import AssumedPod, AssumedTotals
from controller.gang.cache.capacity import ClusterCapacity, Free
from controller.gang.cache.exclusive_resources import is_exclusive
from controller.gang.cache.node import kept_out, why_none_is_eligible
from controller.gang.cache.pending_group import NOT_ENOUGH_RESOURCES, Inadmissible, PendingGroup
from controller.gang.cache.placement import Gang, Placement, fits_wherever_pods_go, free_for, place
from controller.gang.cache.pod_requirements import NodeConstraints, PodRequirements
from controller.gang.cache.queue_usage import QueueUsage
from controller.gang.cycle.reservation import Unreserved
from shared.codec.plural import number_of, verb
from shared.key import Key

QUEUE_NOT_FOUND = "QueueNotFound"
QUEUE_PARENT_CYCLE = "QueueParentCycle"

Failed = dict[tuple[NodeConstraints, bool], list[tuple[PodRequirements, int]]]


class FeasibilityCheck:
    """Of one cycle. What was found not to fit is not tried again: within a cycle, room only shrinks.

    `capacity`, `assumed` and `usage` are the cycle's own copies; `assume` books in them what was admitted.
    """

    def __init__(
        self, capacity: ClusterCapacity, assumed: AssumedTotals, usage: QueueUsage, unschedulable: Key | None = None
    ) -> None:
        self._unschedulable = unschedulable
        self._capacity = capacity
        self._assumed = assumed
        self._usage = usage
        self._free = capacity.free_total()
        self._failed: dict[tuple[Gang, bool, bool], Inadmissible] = {}
        self._does_not_fit: Failed = {}
        self._needs_pinning: dict[NodeConstraints, list[tuple[PodRequirements, int]]] = {}
        self._open: dict[tuple[frozenset[NodeConstraints], bool], tuple[Amounts, tuple[str, ...]]] = {}
        self._around: dict[frozenset[NodeConstraints], tuple[int, Amounts]] = {}

    @cached_property
    def _allocatable(self) -> Free:
        return self._capacity.allocatable()

    @cached_property
    def _without_groups(self) -> Free:
        return self._capacity.without_groups()

    def assume(self, group: PendingGroup, placement: Placement) -> None:
        """The group was admitted to these nodes."""
        for pod, node, count in placement.placed:
            self._capacity.assume(node, pod, count)
            for _ in range(count):
                self._assumed.add(AssumedPod(pod, node, placement.pinned))
        self._usage.use(group.queue, group.amounts)
        self._open.clear()
        for name, amount in group.amounts.items():
            self._free[name] = self._free.get(name, 0) - amount

    def check(self, group: PendingGroup, free: Free) -> Placement | Inadmissible:
        """`free`: what this group may use of what is free."""
        refused = self._check_queue(group)
        if refused is not None:
            return refused
        if not self._capacity.known:
            return Placement(tuple((pod, "", count) for pod, count in group.gang), group.size, group.size)
        key = (group.gang, free is self._capacity.free, group.started)
        known = self._failed.get(key)
        if known is not None:
            return known
        found = self._check_nodes(group, free)
        if isinstance(found, Inadmissible):
            self._failed[key] = found
            return found
        return self._check_guarantees(group) or found

    def _check_queue(self, group: PendingGroup) -> Inadmissible | None:
        needs, name = group.amounts, group.queue
        if name not in self._usage.tree.queues:
            return Inadmissible(QUEUE_NOT_FOUND, f"queue {name} does not exist", permanent=True)
        if cycle := self._usage.tree.cycle(name):
            message = (
                f"the parents of queue {name} form a cycle: {' -> '.join(cycle)}; change the parent of one of them"
            )
            return Inadmissible(QUEUE_PARENT_CYCLE, message, permanent=True)
        for queue, resource, limit in self._usage.above_capability(name, needs):
            message = (
                f"never fits: {group.pods_need} {resource} {format_amount(resource, needs[resource])}, "
                f"queue {queue} may use {format_amount(resource, limit)} (spec.capability)"
            )
            return Inadmissible(NOT_ENOUGH_RESOURCES, message, permanent=True, queue=queue)
        for queue, resource, used, limit in self._usage.over_capability(name, needs):
            message = (
                f"queue {queue} uses {resource} {format_amount(resource, used)} of {format_amount(resource, limit)} "
                f"(spec.capability), {group.pods_need} {format_amount(resource, needs[resource])} more"
            )
            return Inadmissible(NOT_ENOUGH_RESOURCES, message, queue=queue)
        return None

    def _check_nodes(self, group: PendingGroup, free: Free) -> Placement | Inadmissible:
        everything = free is self._capacity.free
        short = any(self._free.get(name, 0) < amount for name, amount in group.amounts.items())
        found = None if short or self._has_failed(group, everything) else place(group.gang, self._capacity, free)
        if found is None or not found.fits:
            if found is not None and len(group.gang) == 1:
                pod, count = group.gang[0]
                self._does_not_fit.setdefault((pod.constraints, everything), []).append((pod, count))
            return self._no_room(group, free, found)
        return self._check_binding(group, found)

    def _has_failed(self, group: PendingGroup, everything: bool) -> bool:
        """Whether fewer or smaller pods of the same kind did not fit in this cycle."""
        return any(
            _covers_any(pod, count, self._does_not_fit.get((pod.constraints, everything), ()))
            for pod, count in group.gang
        )

    def _check_binding(self, group: PendingGroup, found: Placement) -> Placement | Inadmissible:
        """The scheduler does not know of assumed pods: it must be sure to bind all pods, or be held to the nodes found, or
        bind the assumed pods first."""
        assumed = self._assumed
        if not assumed.pinned and self._fits_wherever_pods_go(group):
            return found
        if assumed.unpinned and not group.started:
            message = f"capacity is available; waiting for {number_of(assumed.unpinned, 'admitted pod')} to be bound"
            if self._unschedulable is not None:
                message += f"; the scheduler cannot bind pod {self._unschedulable}"
            return Inadmissible(NOT_ENOUGH_RESOURCES, message, awaits_binding=True)
        return msgspec.structs.replace(found, pinned=group.may_pin)

    def _fits_wherever_pods_go(self, group: PendingGroup) -> bool:
        """What is not sure to fit is not so either with more or larger pods."""
        if any(_covers_any(pod, count, self._needs_pinning.get(pod.constraints, ())) for pod, count in group.gang):
            return False
        if fits_wherever_pods_go(group.gang, self._assumed, self._capacity):
            return True
        if len(group.gang) == 1:
            ((pod, count),) = group.gang
            self._needs_pinning.setdefault(pod.constraints, []).append((pod, count))
        return False

    def _no_room(self, group: PendingGroup, free: Free, found: Placement | None) -> Inadmissible:
        capacity = self._capacity
        ever = place(group.gang, capacity, self._allocatable, in_any_condition=True)
        if not ever.fits:
            nodes_are = (
                "the only node of this cluster was"
                if len(capacity.nodes) == 1
                else f"the {len(capacity.nodes)} nodes of this cluster were"
            )
            message = f"never fits: {group.needs}; {ever.fitting} would fit if {nodes_are} empty"
            rules = (*self._unmet_rules(group), *self._taints(group), *self._too_large(group))
            message += "".join(f"; {rule}" for rule in rules)
            return Inadmissible(NOT_ENOUGH_RESOURCES, message, permanent=True)
        key = frozenset(pod.constraints for pod, _ in group.gang), free is capacity.free
        if key not in self._open:
            self._open[key] = free_for(group.gang, capacity, free)
        amounts, nodes = self._open[key]
        parts = [group.needs, f"free on {number_of(len(nodes), 'node')}: {format_amounts(amounts, group.amounts)}"]
        if found is not None:
            parts.append(f"{found.fitting} of {group.size} fit")
        parts += self._causes(group, nodes)
        if isinstance(free, Unreserved):
            parts.append(f"more is reserved for {free.holder}, which has waited longer")
        return Inadmissible(NOT_ENOUGH_RESOURCES, "; ".join(parts), lacks_nodes=True)

    def _unmet_rules(self, group: PendingGroup) -> list[str]:
        """The rules of the group's pods that no node meets."""
        nodes = self._capacity.nodes.values()
        kinds = {pod.constraints for pod, _ in group.gang}
        unmet = [each for each in kinds if not self._capacity.eligible(each, in_any_condition=True)]
        return sorted({rule for each in unmet if (rule := why_none_is_eligible(nodes, each))})

    def _taints(self, group: PendingGroup) -> list[str]:
        """The taints that keep the group's pods from some of the nodes that they could otherwise use."""
        said: set[str] = set()
        for each in {pod.constraints for pod, _ in group.gang}:
            number, taints = kept_out(self._capacity.nodes.values(), each)
            if number and self._capacity.eligible(each, in_any_condition=True):
                nodes = f"{number_of(number, 'node')} {verb(number, 'has', 'have')}"
                said.add(f"{nodes} taints that the pods do not tolerate: {taints}")
        return sorted(said)

    def _too_large(self, group: PendingGroup) -> list[str]:
        """Requests of a single pod that no node can meet, also when it is empty."""
        said: set[str] = set()
        for pod, _ in group.gang:
            eligible = self._capacity.eligible(pod.constraints, in_any_condition=True)
            most = largest(self._allocatable[name] for name in eligible)
            for name, amount in pod.requests if eligible else ():
                if not is_exclusive(name) and most.get(name, 0) < amount:
                    rest = f", the largest has {format_amount(name, most[name])}" if most.get(name) else ""
                    said.add(f"no node has {name} {format_amount(name, amount)}{rest}")
        return sorted(said)

    def _causes(self, group: PendingGroup, nodes: tuple[str, ...]) -> Iterator[str]:
        """What else could be changed: nodes that are out of order, and pods without PodGroup."""
        key = frozenset(pod.constraints for pod, _ in group.gang)
        if key not in self._around:
            every = {name for each in key for name in self._capacity.eligible(each, in_any_condition=True)}
            outside = summed(self._capacity.outside.get(name, {}) for name in nodes)
            self._around[key] = len(every.difference(nodes)), outside
        out_of_order, outside = self._around[key]
        if out_of_order:
            yield f"{number_of(out_of_order, 'more node')} {verb(out_of_order, 'is', 'are')} cordoned or not ready"
        held = {name: outside[name] for name in group.amounts if outside.get(name)}
        if held and not place(group.gang, self._capacity, self._without_groups).fits:
            yield f"pods without PodGroup use {format_amounts(held)}"

    def _check_guarantees(self, group: PendingGroup) -> Inadmissible | None:
        needs = group.amounts
        for resource, kept in self._usage.guaranteed_to_others(group.queue).items():
            free = self._free.get(resource, 0)
            if resource in needs and kept > 0 and free - needs[resource] < kept:
                message = (
                    f"{resource} {format_amount(resource, kept)} is kept for the guarantee of other queues, "
                    f"{format_amount(resource, free)} is free, {format_amount(resource, needs[resource])} is needed"
                )
                return Inadmissible(NOT_ENOUGH_RESOURCES, message)
        return None


def _covers_any(pod: PodRequirements, count: int, failed: Iterable[tuple[PodRequirements, int]]) -> bool:
    return any(count >= number and _covers(pod, other) for other, number in failed)


def _covers(pod: PodRequirements, other: PodRequirements) -> bool:
    """Whether it requests at least as much of everything."""
    requests = dict(pod.requests)
    return all(requests.get(name, 0) >= amount for name, amount in other.requests)
