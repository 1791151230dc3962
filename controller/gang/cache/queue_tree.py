"""The tree of queues: what each may use, what it deserves, what is kept for it (volcano-behaviour.md 1.7, 2.5)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from controller.gang.cache.pod_requirements import Amounts, added, amounts_of
from shared.names import DEFAULT_QUEUE, ROOT_QUEUE

Body = Mapping[str, Any]
MAX_DEPTH: Final = 32  # of a walk up: stored parents may form a circle


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


def queue_of(body: Body) -> Queue:
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
        found: list[Queue] = []
        queue = self.queues.get(name)
        while queue is not None and queue.name != ROOT_QUEUE and len(found) < MAX_DEPTH:
            found.append(queue)
            queue = self.queues.get(queue.parent)
        return tuple(reversed(found))

    def around(self, name: str) -> tuple[Queue, ...]:
        """The path with root before it: every queue whose limits count."""
        root = self.queues[ROOT_QUEUE]
        return (root, *self.path(name)) if name in self.queues else ()


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
                    kept = added(kept, self._unused_guarantee(sibling, 0))
        return kept

    def deserved(self, queue: Queue) -> Amounts:
        """What it may claim: as spec says, or else its part by weight of what its parent deserves."""
        siblings = [self.tree.queues[each] for each in self.tree.children.get(queue.parent, ())]
        parent = self.tree.queues.get(queue.parent)
        whole = self.whole if parent is None or parent.name == ROOT_QUEUE else self.deserved(parent)
        weights = sum(each.weight for each in siblings) or 1
        return {
            name: queue.deserved.get(name, amount * queue.weight // weights) for name, amount in whole.items()
        } | queue.deserved

    def share(self, queue: Queue) -> float:
        """How much of what it deserves it uses, by the resource it uses most of."""
        used, deserved = self.of(queue.name), self.deserved(queue)
        return max((used[name] / max(1, deserved.get(name, 0)) for name in used if used[name]), default=0.0)

    def standing(self, name: str) -> tuple[float, ...]:
        """Sorts queues: level by level down the tree, priority before need."""
        return tuple(part for queue in self.tree.path(name) for part in (-queue.priority, self.share(queue)))

    def _unused_guarantee(self, name: str, depth: int) -> Amounts:
        queue, used = self.tree.queues[name], self.of(name)
        own = {resource: max(0, amount - used.get(resource, 0)) for resource, amount in queue.guarantee.items()}
        if depth >= MAX_DEPTH:
            return own
        below: Amounts = {}
        for child in self.tree.children.get(name, ()):
            below = added(below, self._unused_guarantee(child, depth + 1))
        return {resource: max(own.get(resource, 0), below.get(resource, 0)) for resource in {**own, **below}}
