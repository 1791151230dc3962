"""The tree of queues: what each may use and uses, and who waits in it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from shared.model.types import Body
from shared.names import DEFAULT_QUEUE, ROOT_QUEUE
from shared.quantity import Quantity, QuantityError, quantity
from shared.timestamp import epoch_or_none

_WAITING: Final = ("Pending", "Inqueue", "Unknown")
MOST_WAITING: Final = 50


class ResourceBar(msgspec.Struct, frozen=True):
    """One resource of a queue. `share`: of what is allocated, in thousandths of the most that the queue may use; None
    where nothing bounds it."""

    resource: str
    allocated: str
    capability: str
    deserved: str
    guarantee: str
    share: int | None


class WaitingGroup(msgspec.Struct, frozen=True):
    """A PodGroup that waits for room, and why."""

    namespace: str
    name: str
    job: str
    phase: str
    why: str
    created: float | None


class QueueNode(msgspec.Struct, frozen=True):
    """`depth`: 0 for queues directly below the root; `waiting`: at most MOST_WAITING; `waiting_count`: all of them."""

    name: str
    depth: int
    state: str
    weight: int
    priority: int
    reclaimable: bool
    bars: tuple[ResourceBar, ...]
    running: int
    waiting: tuple[WaitingGroup, ...]
    waiting_count: int
    body: Body


def queue_tree(queues: Sequence[Body], groups: Iterable[Body]) -> tuple[QueueNode, ...]:
    """Parents before their children, siblings by name. Queues whose parents form a cycle come last."""
    children: dict[str, list[Body]] = {}
    names = {str(queue["metadata"]["name"]) for queue in queues}
    for queue in sorted(queues, key=_root_first):
        parent = str((queue.get("spec") or {}).get("parent") or ROOT_QUEUE)
        children.setdefault(parent if parent in names else ROOT_QUEUE, []).append(queue)
    found = _by_queue(groups)
    nodes: list[QueueNode] = []
    seen: set[str] = set()
    stack = [(queue, 0) for queue in reversed(children.get(ROOT_QUEUE, ()))]
    while stack:
        queue, depth = stack.pop()
        name = str(queue["metadata"]["name"])
        if name in seen:
            continue
        seen.add(name)
        nodes.append(_node(queue, depth, found.get(name, [])))
        if name != ROOT_QUEUE:
            stack += [(child, depth + 1) for child in reversed(children.get(name, ()))]
    lost = [queue for queue in queues if queue["metadata"]["name"] not in seen]
    return (*nodes, *(_node(queue, 0, found.get(str(queue["metadata"]["name"]), [])) for queue in lost))


def _root_first(queue: Body) -> tuple[bool, str]:
    name = str(queue["metadata"]["name"])
    return name != ROOT_QUEUE, name


def _node(queue: Body, depth: int, groups: Sequence[Body]) -> QueueNode:
    spec, status = queue.get("spec") or {}, queue.get("status") or {}
    waiting = [_waiting(group) for group in groups if _phase(group) in _WAITING]
    waiting.sort(key=lambda each: (each.created or 0.0, each.namespace, each.name))
    return QueueNode(
        name=str(queue["metadata"]["name"]),
        depth=depth,
        state=str(status.get("state") or "Open"),
        weight=int(spec.get("weight") or 1),
        priority=int(spec.get("priority") or 0),
        reclaimable=spec.get("reclaimable") is not False,
        bars=_bars(spec, status),
        running=sum(1 for group in groups if _phase(group) == "Running"),
        waiting=tuple(waiting[:MOST_WAITING]),
        waiting_count=len(waiting),
        body=queue,
    )


def _bars(spec: Body, status: Body) -> tuple[ResourceBar, ...]:
    allocated = status.get("allocated") or {}
    capability, deserved = spec.get("capability") or {}, spec.get("deserved") or {}
    guarantee = (spec.get("guarantee") or {}).get("resource") or {}
    names = sorted({*allocated, *capability, *deserved, *guarantee} - {"pods"})
    return tuple(
        ResourceBar(
            resource=name,
            allocated=_readable(_amount(allocated.get(name))),
            capability=str(capability.get(name, "")),
            deserved=str(deserved.get(name, "")),
            guarantee=str(guarantee.get(name, "")),
            share=_share(_amount(allocated.get(name)), _amount(capability.get(name) or deserved.get(name))),
        )
        for name in names
    )


def _readable(amount: Quantity) -> str:
    """`10.5` for 10500m; other amounts as Kubernetes writes them."""
    whole, rest = divmod(amount.nanos, 10**9)
    return f"{amount.nanos / 10**9:.10g}" if whole and rest else str(amount)


def _share(used: Quantity, most: Quantity) -> int | None:
    return min(used.nanos * 1000 // most.nanos, 1000) if most.nanos > 0 else None


def _amount(raw: object) -> Quantity:
    try:
        return quantity(raw)
    except QuantityError:
        return Quantity(0)


def _by_queue(groups: Iterable[Body]) -> Mapping[str, list[Body]]:
    found: dict[str, list[Body]] = {}
    for group in groups:
        found.setdefault(str((group.get("spec") or {}).get("queue") or DEFAULT_QUEUE), []).append(group)
    return found


def _phase(group: Body) -> str:
    return str((group.get("status") or {}).get("phase") or "Pending")


def _waiting(group: Body) -> WaitingGroup:
    metadata = group["metadata"]
    conditions = (group.get("status") or {}).get("conditions") or ()
    why = [str(each.get("message") or each.get("reason") or "") for each in conditions if each.get("status") == "True"]
    owner: Body = next((each for each in metadata.get("ownerReferences") or () if each.get("kind") == "Job"), {})
    return WaitingGroup(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        job=str(owner.get("name") or ""),
        phase=_phase(group),
        why=why[-1] if why else "",
        created=epoch_or_none(metadata.get("creationTimestamp")),
    )
