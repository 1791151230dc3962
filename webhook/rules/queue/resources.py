"""Resources of a queue: valid quantities, guarantee <= deserved <= capability, and limits of the tree
(docs/design/volcano-behaviour.md, section 2.5)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from shared import kinds, quantity
from shared.graphs.ancestry import ancestors, descendants
from shared.model.types import Body
from shared.names import ROOT_QUEUE
from shared.quantity import Quantity
from shared.violation import Reason, Violation
from webhook.subject.lookups import name_at, parent_of
from webhook.subject.plain_subjects import QueueSubject
from webhook.subject.subjects import body_or_empty

Amounts = Mapping[str, Quantity]
V = TypeVar("V")
_PATHS: Final = {"guarantee": "guarantee.resource", "deserved": "deserved"}


class QueueAmounts(msgspec.Struct, frozen=True):
    """The resources of a queue's spec. Values that are not quantities are left out."""

    guarantee: Amounts
    deserved: Amounts
    capability: Amounts

    def of(self, field: str) -> Amounts:
        amounts: Amounts = getattr(self, field)
        return amounts


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
    """The queue's resources (if it sets none, those of its nearest descendants that do) do not exceed those of the
    nearest ancestor that sets the resource. capability is compared on its own; for deserved and guarantee, the total of
    all queues below that ancestor is compared.
    """
    if _below_root(queue) is None or not _changed(queue):
        return
    tree = _StoredTree(queue)
    for resource, (amount, _) in tree.largest_capabilities(queue.name).items():
        limit, ancestor = tree.nearest(queue.name, "capability", resource)
        if limit is not None and limit < amount:
            message = f"must be less than or equal to the capability of its ancestor {ancestor} ({limit})"
            yield Violation(f"spec.capability[{resource}]", message, str(amount))
    for field in ("guarantee", "deserved"):
        for resource, amount in tree.total(queue.name, field).items():
            limit, ancestor = tree.nearest(queue.name, field, resource)
            total = tree.total_of_children(ancestor, field).get(resource, quantity.ZERO) if ancestor else quantity.ZERO
            if limit is not None and limit < total:
                above = "parent" if ancestor == parent_of(queue.raw) else "ancestor"
                message = f"the total with its siblings ({total}) exceeds that of its {above} {ancestor} ({limit})"
                yield Violation(f"spec.{_PATHS[field]}[{resource}]", message, str(amount))


def queue_covers_its_children(queue: QueueSubject) -> Iterator[Violation]:
    """For children that do not set a resource, their nearest descendants that do are compared."""
    if queue.name == ROOT_QUEUE or not _changed(queue):
        return
    own, tree = _shares(queue.raw), _StoredTree(queue)
    largest = tree.largest_capabilities_of_children(queue.name)
    for resource, limit in own.capability.items():
        amount, below = largest.get(resource, (limit, ""))
        if limit < amount:
            message = f"must be greater than or equal to the capability of each child queue ({amount}, queue {below})"
            yield Violation(f"spec.capability[{resource}]", message, str(limit))
    for field, limits in (("guarantee", own.guarantee), ("deserved", own.deserved)):
        totals = tree.total_of_children(queue.name, field)
        for resource, limit in limits.items():
            if limit < totals.get(resource, limit):
                message = f"must be greater than or equal to the total of its child queues ({totals[resource]})"
                yield Violation(f"spec.{_PATHS[field]}[{resource}]", message, str(limit))


class _StoredTree:
    """The stored queues, with the one under validation in place of its stored version."""

    def __init__(self, queue: QueueSubject) -> None:
        bodies = {name_at(body): body for body in queue.lookups.all(kinds.QUEUE)} | {queue.name: queue.raw}
        self._amounts = {name: _shares(body) for name, body in bodies.items()}
        self._parents = {name: parent_of(body) for name, body in bodies.items() if name != ROOT_QUEUE}
        self._children: dict[str, list[str]] = {}
        for name, parent in self._parents.items():
            self._children.setdefault(parent, []).append(name)

    def nearest(self, name: str, field: str, resource: str) -> tuple[Quantity | None, str]:
        """The value and the name of the nearest ancestor below root that sets the resource."""
        for ancestor in ancestors(name, self._parents.get):
            amounts = self._amounts.get(ancestor)
            if amounts is None or ancestor == ROOT_QUEUE:
                break
            if resource in amounts.of(field):
                return amounts.of(field)[resource], ancestor
        return None, ""

    def total(self, name: str, field: str) -> Amounts:
        """By resource: the queue's value, or else the total of the queues below it."""
        return self._from_below(name, lambda each: self._amounts[each].of(field), _sum)[name]

    def total_of_children(self, name: str, field: str) -> Amounts:
        found = self._from_below(name, lambda each: self._amounts[each].of(field) if each != name else {}, _sum)
        return found[name]

    def largest_capabilities(self, name: str) -> Mapping[str, tuple[Quantity, str]]:
        """By resource: the queue's capability, or else the largest of the queues below it, with the name of that queue."""
        return self._from_below(name, self._capability, _max)[name]

    def largest_capabilities_of_children(self, name: str) -> Mapping[str, tuple[Quantity, str]]:
        return self._from_below(name, lambda each: self._capability(each) if each != name else {}, _max)[name]

    def _capability(self, name: str) -> Mapping[str, tuple[Quantity, str]]:
        return {resource: (amount, name) for resource, amount in self._amounts[name].capability.items()}

    def _from_below(
        self, name: str, own: Callable[[str], Mapping[str, V]], combine: Callable[[V, V], V]
    ) -> Mapping[str, Mapping[str, V]]:
        """Queue -> its `own` values, with those of its children combined for resources that it does not have."""
        found: dict[str, Mapping[str, V]] = {}
        for each in reversed((name, *descendants(name, lambda parent: self._children.get(parent, ())))):
            below: dict[str, V] = {}
            for child in self._children.get(each, ()):
                for resource, value in found.get(child, {}).items():
                    below[resource] = combine(below[resource], value) if resource in below else value
            found[each] = {**below, **own(each)}
        return found


def _sum(first: Quantity, second: Quantity) -> Quantity:
    return first + second


def _max(first: tuple[Quantity, str], second: tuple[Quantity, str]) -> tuple[Quantity, str]:
    return second if first[0] < second[0] else first


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
