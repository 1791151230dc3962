"""The usage of queues, compared with their capability, deserved and guarantee."""

from collections.abc import Iterator, Mapping

from controller.gang.cache.amounts import Amounts, added, less
from controller.gang.cache.queue_tree import QueueInfo, QueueTree
from shared.key import Key


class UsageOfGroups:
    """What each group uses, added up by queue."""

    def __init__(self) -> None:
        self._of: dict[Key, tuple[str, Amounts]] = {}
        self._by_queue: dict[str, Amounts] = {}

    def set(self, group: Key, queue: str, amounts: Amounts) -> None:
        """What the group uses now, instead of what it used before."""
        before_in, before = self._of.pop(group, ("", {}))
        self._put(before_in, less(self._by_queue.get(before_in, {}), before))
        if any(amounts.values()):
            self._of[group] = queue, amounts
            self._put(queue, added(self._by_queue.get(queue, {}), amounts))

    def by_queue(self) -> dict[str, Amounts]:
        """A copy, without queues that are not used."""
        return dict(self._by_queue)

    def _put(self, queue: str, amounts: Amounts) -> None:
        self._by_queue[queue] = {name: amount for name, amount in amounts.items() if amount}
        if not self._by_queue[queue]:
            del self._by_queue[queue]


class QueueUsage:
    """`used`: by the queue that groups name; `of` adds up the tree. `cluster`: what all nodes have together."""

    def __init__(self, tree: QueueTree, used: Mapping[str, Amounts], cluster: Amounts) -> None:
        self.tree = tree
        self.cluster = cluster
        self._used: dict[str, Amounts] = {}
        self._deserved: dict[str, Amounts] = {}
        for name, amounts in used.items():
            self.use(name, amounts)

    def copy(self) -> "QueueUsage":
        """To be changed without changing this one."""
        made = QueueUsage(self.tree, {}, self.cluster)
        made._used = dict(self._used)
        made._deserved = self._deserved
        return made

    def of(self, name: str) -> Amounts:
        return self._used.get(name, {})

    def use(self, name: str, amounts: Mapping[str, int]) -> None:
        for queue in self.tree.limiting(name):
            self._used[queue.name] = added(self._used.get(queue.name, {}), amounts)

    def over_capability(self, name: str, amounts: Mapping[str, int]) -> Iterator[tuple[str, str, int, int]]:
        """Limits that `amounts` in addition would exceed: queue, resource, what it uses, what it may use."""
        for queue in self.tree.limiting(name):
            used = self.of(queue.name)
            for resource, limit in queue.capability.items():
                if amounts.get(resource, 0) > 0 and used.get(resource, 0) + amounts[resource] > limit:
                    yield queue.name, resource, used.get(resource, 0), limit

    def above_capability(self, name: str, amounts: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
        """Limits that `amounts` alone would exceed: queue, resource, limit."""
        for queue in self.tree.limiting(name):
            for resource, limit in queue.capability.items():
                if amounts.get(resource, 0) > limit:
                    yield queue.name, resource, limit

    def guaranteed_to_others(self, name: str) -> Amounts:
        """What must stay free for the unused guarantees of queues beside the path of this one."""
        kept: Amounts = {}
        path = {queue.name for queue in self.tree.limiting(name)}
        for parent in path:
            for sibling in self.tree.children.get(parent, ()):
                if sibling not in path:
                    kept = added(kept, self._unused_guarantee(sibling))
        return kept

    def deserved(self, queue: QueueInfo) -> Amounts:
        """What it may reclaim: as its spec says, or else its part by weight of what its parent deserves."""
        known = self._deserved.get(queue.name)
        if known is not None:
            return known
        found = self.cluster
        for level in self.tree.path(queue.name):
            siblings = [self.tree.queues[each] for each in self.tree.children.get(level.parent, ())]
            weights = sum(each.weight for each in siblings) or 1
            by_weight = {name: amount * level.weight // weights for name, amount in found.items()}
            found = self._deserved[level.name] = by_weight | level.deserved
        return found

    def share(self, queue: QueueInfo) -> float:
        """The part of what it deserves that it uses, by its dominant resource."""
        used, deserved = self.of(queue.name), self.deserved(queue)
        return max((used[name] / max(1, deserved.get(name, 0)) for name in used if used[name]), default=0.0)

    def order(self, name: str) -> tuple[float, ...]:
        """Sorts queues: at each level of the tree, by priority and then by share."""
        return tuple(part for queue in self.tree.path(name) for part in (-queue.priority, self.share(queue)))

    def _unused_guarantee(self, name: str) -> Amounts:
        """The larger of what is left of its own guarantee and of those of its children, by resource."""
        children = self.tree.children
        left: dict[str, Amounts] = {}
        for each in reversed((name, *self.tree.descendants(name))):
            queue, used = self.tree.queues[each], self.of(each)
            own = {resource: max(0, amount - used.get(resource, 0)) for resource, amount in queue.guarantee.items()}
            of_children: Amounts = {}
            for child in children.get(each, ()):
                of_children = added(of_children, left.get(child, {}))
            left[each] = {
                resource: max(own.get(resource, 0), of_children.get(resource, 0)) for resource in {**own, **of_children}
            }
        return left[name]
