"""Resources of a queue: valid quantities, guarantee <= deserved <= capability, and limits of the tree
(docs/design/volcano-behaviour.md, section 2.5)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from shared import kinds, quantity
from shared.graphs.ancestry import ancestors
from shared.model.types import Body
from shared.names import ROOT_QUEUE
from shared.quantity import Quantity
from shared.violation import Reason, Violation
from webhook.subject.lookups import name_at, parent_of, queue_children
from webhook.subject.subjects import QueueSubject, body_or_empty

Amounts = Mapping[str, Quantity]


class QueueAmounts(msgspec.Struct, frozen=True):
    """The resources of a queue's spec. Values that are not quantities are left out."""

    guarantee: Amounts
    deserved: Amounts
    capability: Amounts


def amounts_are_quantities(queue: QueueSubject) -> Iterator[Violation]:
    for field, amounts in _fields(queue):
        for resource, raw in amounts.items():
            path = f"spec.{field}[{resource}]"
            if fault := quantity.fault(raw):
                yield Violation(path, fault, raw)
            elif quantity.quantity(raw).nanos < 0:
                yield Violation(path, "must be greater than or equal to 0", raw)


def deserved_covers_guarantee(queue: QueueSubject) -> Iterator[Violation]:
    own = _shares(queue.raw)
    for resource, amount in own.guarantee.items():
        deserved = own.deserved.get(resource)
        if deserved is None:
            message = (
                "a resource with a guarantee needs deserved as well: deserved should be greater equal than guarantee"
            )
            yield Violation(f"spec.deserved[{resource}]", message, reason=Reason.REQUIRED)
        elif deserved < amount:
            message = f"deserved should be greater equal than guarantee ({amount})"
            yield Violation(f"spec.deserved[{resource}]", message, str(deserved))


def capability_covers_deserved(queue: QueueSubject) -> Iterator[Violation]:
    own = _shares(queue.raw)
    for resource, amount in own.deserved.items():
        capability = own.capability.get(resource)
        if capability is not None and capability < amount:
            message = f"deserved should be less equal than capability ({capability})"
            yield Violation(f"spec.deserved[{resource}]", message, str(amount))


def root_keeps_its_amounts(queue: QueueSubject) -> Iterator[Violation]:
    if queue.name != ROOT_QUEUE or queue.old is None:
        return
    old = body_or_empty(queue.old.get("spec"))
    for field in ("capability", "deserved", "guarantee"):
        if body_or_empty(old.get(field)) != body_or_empty(body_or_empty(queue.raw.get("spec")).get(field)):
            message = "queue root represents the whole cluster: its resources cannot be changed"
            yield Violation(f"spec.{field}", message, reason=Reason.FORBIDDEN)


def queue_fits_its_ancestors(queue: QueueSubject) -> Iterator[Violation]:
    """Capability is at most that of the nearest ancestor that sets it; siblings together stay within the parent."""
    parent = _below_root(queue)
    if parent is None or not _changed(queue):
        return
    own = _shares(queue.raw)
    for resource, amount in own.capability.items():
        limit, ancestor = _nearest_capability(queue, name_at(parent), resource)
        if limit is not None and limit < amount:
            message = f"must be less than or equal to the capability of its ancestor {ancestor} ({limit})"
            yield Violation(f"spec.capability[{resource}]", message, str(amount))
    above = _shares(parent)
    siblings = [
        own,
        *(_shares(body) for body in queue_children(queue.lookups, name_at(parent)) if name_at(body) != queue.name),
    ]
    for field, mine, limits, parts in (
        ("guarantee.resource", own.guarantee, above.guarantee, [each.guarantee for each in siblings]),
        ("deserved", own.deserved, above.deserved, [each.deserved for each in siblings]),
    ):
        for resource, total in _excess(parts, limits):
            if resource in mine:
                message = f"the total with its siblings ({total}) exceeds that of its parent {name_at(parent)} ({limits[resource]})"
                yield Violation(f"spec.{field}[{resource}]", message, str(mine[resource]))


def queue_covers_its_children(queue: QueueSubject) -> Iterator[Violation]:
    if queue.name == ROOT_QUEUE or not _changed(queue):
        return
    own, children = _shares(queue.raw), [_shares(body) for body in queue_children(queue.lookups, queue.name)]
    for resource, limit in own.capability.items():
        largest = max((child.capability[resource] for child in children if resource in child.capability), default=None)
        if largest is not None and limit < largest:
            message = f"must be greater than or equal to the capability of each child queue ({largest})"
            yield Violation(f"spec.capability[{resource}]", message, str(limit))
    for field, limits, parts in (
        ("guarantee.resource", own.guarantee, [child.guarantee for child in children]),
        ("deserved", own.deserved, [child.deserved for child in children]),
    ):
        for resource, total in _excess(parts, limits):
            message = f"must be greater than or equal to the total of its child queues ({total})"
            yield Violation(f"spec.{field}[{resource}]", message, str(limits[resource]))


def _fields(queue: QueueSubject) -> Iterator[tuple[str, Body]]:
    spec = body_or_empty(queue.raw.get("spec"))
    for field in ("capability", "deserved"):
        yield field, body_or_empty(spec.get(field))
    yield "guarantee.resource", body_or_empty(body_or_empty(spec.get("guarantee")).get("resource"))


def _shares(body: Body) -> QueueAmounts:
    spec = body_or_empty(body.get("spec"))
    return QueueAmounts(
        _amounts(body_or_empty(spec.get("guarantee")).get("resource")),
        _amounts(spec.get("deserved")),
        _amounts(spec.get("capability")),
    )


def _amounts(raw: Any) -> Amounts:
    return {
        name: quantity.quantity(value) for name, value in body_or_empty(raw).items() if quantity.fault(value) is None
    }


def _below_root(queue: QueueSubject) -> Body | None:
    """The parent queue unless it is root, whose children are limited only by the cluster."""
    parent = parent_of(queue.raw)
    return None if parent in (ROOT_QUEUE, queue.name) else queue.lookups.get(kinds.QUEUE, "", parent)


def _changed(queue: QueueSubject) -> bool:
    """Whether resources or parent change. Other updates are not refused because of changes to other queues."""
    if queue.old is None:
        return True
    return _shares(queue.old) != _shares(queue.raw) or parent_of(queue.old) != parent_of(queue.raw)


def _nearest_capability(queue: QueueSubject, parent: str, resource: str) -> tuple[Quantity | None, str]:
    """What the nearest queue that limits the resource says, from the parent upwards, and that queue's name."""

    def stored_parent(name: str) -> str | None:
        body = queue.lookups.get(kinds.QUEUE, "", name)
        return None if body is None else parent_of(body)

    for name in (parent, *ancestors(parent, stored_parent)):
        body = queue.lookups.get(kinds.QUEUE, "", name)
        if body is None or name == ROOT_QUEUE:
            break
        capability = _shares(body).capability.get(resource)
        if capability is not None:
            return capability, name
    return None, ""


def _excess(parts: Iterable[Amounts], limits: Amounts) -> Iterator[tuple[str, Quantity]]:
    """(resource, total) of resources whose total exceeds the limit."""
    parts = list(parts)
    for resource, limit in limits.items():
        total = sum((part[resource] for part in parts if resource in part), quantity.ZERO)
        if limit < total:
            yield resource, total
