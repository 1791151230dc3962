"""Queues and their tree, as Volcano's capacity plugin reads them."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from controller.gang.cache.amounts import Amounts, amounts_of
from shared.graphs import ancestry
from shared.names import DEFAULT_QUEUE, ROOT_QUEUE


class QueueInfo(msgspec.Struct, frozen=True):
    """`parent`: "" only for root; `fifo`: while its first group cannot be admitted, no group behind it is."""

    name: str
    parent: str = ROOT_QUEUE
    weight: int = 1
    priority: int = 0
    capability: Amounts = {}
    deserved: Amounts = {}
    guarantee: Amounts = {}
    reclaimable: bool = True
    fifo: bool = False


def queue_info_of(body: Mapping[str, Any]) -> QueueInfo:
    """A stored Queue, with defaults for absent fields."""
    name, spec = body["metadata"]["name"], body.get("spec") or {}
    return QueueInfo(
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


class QueueTree:
    """All queues; root and default are in it whether or not they are stored. Never changed after it is built."""

    def __init__(self, queues: Iterable[QueueInfo] = ()) -> None:
        self.queues = {ROOT_QUEUE: QueueInfo(ROOT_QUEUE, parent=""), DEFAULT_QUEUE: QueueInfo(DEFAULT_QUEUE)}
        self.queues |= {queue.name: queue for queue in queues}
        self.children: dict[str, list[str]] = {}
        for queue in self.queues.values():
            self.children.setdefault(queue.parent, []).append(queue.name)

    def path(self, name: str) -> tuple[QueueInfo, ...]:
        """From the child of root down to the queue; empty for root itself and for a queue that does not exist."""
        if name not in self.queues or name == ROOT_QUEUE:
            return ()
        above = [self.queues[each] for each in ancestry.ancestors(name, self._parent_of) if each != ROOT_QUEUE]
        return (*reversed(above), self.queues[name])

    def limiting(self, name: str) -> tuple[QueueInfo, ...]:
        """The queues whose limits apply to a queue: root, its ancestors and itself."""
        return (self.queues[ROOT_QUEUE], *self.path(name)) if name in self.queues else ()

    def cycle(self, name: str) -> tuple[str, ...]:
        """The cycle of parents that the queue is in or below, as ("a", "b", "a"); empty when its parents lead to root."""
        top = next((each.name for each in self.path(name)), name)
        return ancestry.cycle(top, self._parent_of)

    def descendants(self, name: str) -> Iterable[str]:
        return ancestry.descendants(name, lambda each: self.children.get(each, ()))

    def _parent_of(self, name: str) -> str | None:
        queue = self.queues.get(name)
        return queue.parent if queue is not None and queue.parent in self.queues else None
