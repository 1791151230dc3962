"""The tree of queues: what each may use, what it deserves, what is kept for it (volcano-behaviour.md 1.7, 2.5)."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from controller.gang.cache.pod_requirements import Amounts, added, amounts_of
from shared.graphs import ancestry
from shared.model.types import ReadOnlyBody
from shared.names import DEFAULT_QUEUE, ROOT_QUEUE


class Queue(msgspec.Struct, frozen=True):
    """`parent`: "" only for root; `fifo`: a head that does not fit holds up those behind it."""

    name: str
    parent: str = ROOT_QUEUE
    weight: int = 1
    priority: int = 0
    capability: Amounts = {}
    deserved: Amounts = {}
    guarantee: Amounts = {}
    reclaimable: bool = True
    fifo: bool = False


def queue_of(body: ReadOnlyBody) -> Queue:
    """A stored Queue, absent read as default."""
    name, spec = body["metadata"]["name"], body.get("spec") or {}
    return Queue(
        name=name,
        parent="" if name == ROOT_QUEUE else spec.get("parent") or ROOT_QUEUE,
        weight=int(spec.get("weight") or 1),
        priority=int(spec.get("priority") or 0),
        capability=amounts_of(spec.get("capability")),
        deserved=amounts_of(spec.get("deserved")),
        guarantee=amounts_of((spec.get("guarantee") or {}).get("resource")),
        reclaimable=spec.get("reclaimable") is not False,
        fifo=spec.get("dequeueStrategy") == "fifo",
    )


class Tree:
    """All queues; root and default are there whether or not they are stored."""

    def __init__(self, queues: Iterable[Queue] = ()) -> None:
        self.queues = {ROOT_QUEUE: Queue(ROOT_QUEUE, parent=""), DEFAULT_QUEUE: Queue(DEFAULT_QUEUE)}
        self.queues |= {queue.name: queue for queue in queues}
        self.children: dict[str, list[str]] = {}
        for queue in self.queues.values():
            self.children.setdefault(queue.parent, []).append(queue.name)

    def path(self, name: str) -> tuple[Queue, ...]:
        """From the child of root down to the queue; empty for root itself and for a queue that is not there."""
        if name not in self.queues or name == ROOT_QUEUE:
            return ()
        above = [self.queues[each] for each in ancestry.ancestors(name, self._parent_of) if each != ROOT_QUEUE]
        return (*reversed(above), self.queues[name])

    def cycle(self, name: str) -> tuple[str, ...]:
        """The cycle of parents that the queue is in or below, as ("a", "b", "a"); empty when its parents lead to root."""
        top = next((each.name for each in self.path(name)), name)
        return ancestry.cycle(top, self._parent_of)

    def around(self, name: str) -> tuple[Queue, ...]:
        """The path with root before it: every queue whose limits count."""
        root = self.queues[ROOT_QUEUE]
        return (root, *self.path(name)) if name in self.queues else ()

    def _parent_of(self, name: str) -> str | None:
        queue = self.queues.get(name)
        return queue.parent if queue is not None and queue.parent in self.queues else None


class Shares:
    """What queues use: `used` by leaf queue; `of` sums up the tree. Made for one round and changed in it.

    `whole`: what all nodes have together.
    """

    def __init__(self, tree: Tree, used: Mapping[str, Amounts], whole: Amounts) -> None:
        self.tree = tree
        self.whole = whole
        self._used: dict[str, Amounts] = {}
        for name, amounts in used.items():
            self.use(name, amounts)

    def copy(self) -> "Shares":
        """To be changed without changing this one."""
        made = Shares(self.tree, {}, self.whole)
        made._used = dict(self._used)
        return made

    def of(self, name: str) -> Amounts:
        return self._used.get(name, {})

    def use(self, name: str, amounts: Mapping[str, int]) -> None:
        for queue in self.tree.around(name):
            self._used[queue.name] = added(self._used.get(queue.name, {}), amounts)

    def over(self, name: str, amounts: Mapping[str, int]) -> Iterator[tuple[str, str, int, int]]:
        """Limits that `amounts` more would break: queue, resource, what it uses, what it may use."""
        for queue in self.tree.around(name):
            used = self.of(queue.name)
            for resource, limit in queue.capability.items():
                if amounts.get(resource, 0) > 0 and used.get(resource, 0) + amounts[resource] > limit:
                    yield queue.name, resource, used.get(resource, 0), limit

    def exceeds(self, name: str, amounts: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
        """Limits that `amounts` alone would break: queue, resource, limit."""
        for queue in self.tree.around(name):
            for resource, limit in queue.capability.items():
                if amounts.get(resource, 0) > limit:
                    yield queue.name, resource, limit

    def kept_for_others(self, name: str) -> Amounts:
        """What must stay free for the guarantees of queues beside this one's path, as far as they do not use it."""
        kept: Amounts = {}
        path = {queue.name for queue in self.tree.around(name)}
        for parent in path:
            for sibling in self.tree.children.get(parent, ()):
                if sibling not in path:
                    kept = added(kept, self._unused_guarantee(sibling))
        return kept

    def deserved(self, queue: Queue) -> Amounts:
        """What it may claim: as spec says, or else its part by weight of what its parent deserves."""
        found = self.whole
        for level in self.tree.path(queue.name):
            siblings = [self.tree.queues[each] for each in self.tree.children.get(level.parent, ())]
            weights = sum(each.weight for each in siblings) or 1
            by_weight = {name: amount * level.weight // weights for name, amount in found.items()}
            found = by_weight | level.deserved
        return found

    def share(self, queue: Queue) -> float:
        """How much of what it deserves it uses, by the resource it uses most of."""
        used, deserved = self.of(queue.name), self.deserved(queue)
        return max((used[name] / max(1, deserved.get(name, 0)) for name in used if used[name]), default=0.0)

    def standing(self, name: str) -> tuple[float, ...]:
        """Sorts queues: level by level down the tree, priority before need."""
        return tuple(part for queue in self.tree.path(name) for part in (-queue.priority, self.share(queue)))

    def _unused_guarantee(self, name: str) -> Amounts:
        """The larger of what is left of its own guarantee and of those of its children, by resource."""
        children = self.tree.children
        below = ancestry.descendants(name, lambda each: children.get(each, ()))
        left: dict[str, Amounts] = {}
        for each in reversed((name, *below)):
            queue, used = self.tree.queues[each], self.of(each)
            own = {resource: max(0, amount - used.get(resource, 0)) for resource, amount in queue.guarantee.items()}
            of_children: Amounts = {}
            for child in children.get(each, ()):
                of_children = added(of_children, left.get(child, {}))
            left[each] = {
                resource: max(own.get(resource, 0), of_children.get(resource, 0)) for resource in {**own, **of_children}
            }
        return left[name]
