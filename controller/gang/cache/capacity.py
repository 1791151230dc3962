"""The free capacity of the nodes, updated incrementally."""

from collections.abc import Mapping

from controller.gang.cache.amounts import Amounts, added, largest, less, multiplied, summed
from controller.gang.cache.node import NodeInfo, is_eligible
from controller.gang.cache.pod_requirements import NodeConstraints, PodRequirements

Free = Mapping[str, Amounts]
"""Node -> what is free on it."""


class ClusterCapacity:
    """Two views of each node. `free`: allocatable minus bound pods minus pods that are assumed there; `unbound`: without
    the assumed pods, what the scheduler may choose from, since it does not know of them.

    Of an exclusive resource, every node has one more than `free` says. `outside`: what pods without PodGroup use;
    `total`, `largest_node`: of the allocatable resources; `generation`: of the set of nodes.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.free: dict[str, Amounts] = {}
        self.unbound: dict[str, Amounts] = {}
        self.outside: dict[str, Amounts] = {}
        self.total: Amounts = {}
        self.largest_node: Amounts = {}
        self.generation = 0
        self._bound: dict[str, Amounts] = {}  # also of nodes that are not known yet
        self._assumed: dict[str, Amounts] = {}
        self._eligible: dict[tuple[NodeConstraints, bool], tuple[str, ...]] = {}

    def copy(self) -> "ClusterCapacity":
        """An independent copy. The amounts of a node are replaced and never modified, so the copies share them."""
        made = ClusterCapacity()
        made.nodes, made.free, made.unbound = dict(self.nodes), dict(self.free), dict(self.unbound)
        made.outside = dict(self.outside)
        made.total, made.largest_node, made.generation = self.total, self.largest_node, self.generation
        made._bound, made._assumed = dict(self._bound), dict(self._assumed)
        made._eligible = self._eligible  # depends only on the nodes and is reset when they change
        return made

    @property
    def known(self) -> bool:
        """Whether nodes are known.

        Without nodes, capacity is not checked: with the backend native, kube-scheduler does that.
        """
        return bool(self.nodes)

    def set_node(self, name: str, node: NodeInfo | None) -> bool:
        """Returns whether the capacity changed."""
        if self.nodes.get(name) == node:
            return False
        self._eligible = {}
        self.generation += 1
        if node is None:
            del self.nodes[name], self.free[name], self.unbound[name]
        else:
            self.nodes[name] = node
            self.unbound[name] = less(node.allocatable, self._bound.get(name, {}))
            self.free[name] = less(self.unbound[name], self._assumed.get(name, {}))
        self.total = summed(each.allocatable for each in self.nodes.values())
        self.largest_node = largest(each.allocatable for each in self.nodes.values())
        return True

    def bind(self, node: str, pod: PodRequirements, times: int, *, outside: bool = False) -> None:
        """Add `times` pods to the node, or remove them when negative. `outside`: they have no PodGroup."""
        amounts = multiplied(pod.requests, times)
        if outside:
            _add(self.outside, node, amounts)
        _add(self._bound, node, amounts)
        self._take(self.free, node, amounts)
        self._take(self.unbound, node, amounts)

    def assume(self, node: str, pod: PodRequirements, times: int) -> None:
        """Assume that `times` pods will be bound to the node, or forget so when negative."""
        amounts = multiplied(pod.requests, times)
        _add(self._assumed, node, amounts)
        self._take(self.free, node, amounts)

    def eligible(self, constraints: NodeConstraints, *, in_any_condition: bool = False) -> tuple[str, ...]:
        """Names of the nodes that pods with these constraints may go to, see is_eligible."""
        key = constraints, in_any_condition
        known = self._eligible.get(key)
        if known is None:
            found = (
                name
                for name, node in self.nodes.items()
                if is_eligible(node, constraints, in_any_condition=in_any_condition)
            )
            known = self._eligible[key] = tuple(sorted(found))
        return known

    def allocatable(self) -> dict[str, Amounts]:
        """The free capacity of the nodes if they had no pods."""
        return {name: node.allocatable for name, node in self.nodes.items()}

    def without_groups(self) -> dict[str, Amounts]:
        """The free capacity of the nodes without the pods of PodGroups."""
        return {name: less(node.allocatable, self.outside.get(name, {})) for name, node in self.nodes.items()}

    def free_total(self) -> Amounts:
        return summed({key: max(0, value) for key, value in free.items()} for free in self.free.values())

    @staticmethod
    def _take(nodes: dict[str, Amounts], node: str, amounts: Amounts) -> None:
        if node in nodes:
            nodes[node] = less(nodes[node], amounts)


def _add(nodes: dict[str, Amounts], node: str, amounts: Amounts) -> None:
    nodes[node] = added(nodes.get(node, {}), amounts)
    if not any(nodes[node].values()):
        del nodes[node]
