"""`resources` of the pod as a whole, compared with those of its containers."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.resources.amounts import amounts_of, resources
from shared.quantity import ZERO, Quantity
from shared.violation import Reason, Violation

_COMPUTE: Final = ("cpu", "memory")
_HUGE_PAGES: Final = "hugepages-"
Amounts = Mapping[str, Quantity]


def pod_resources(spec: Field) -> Iterator[Violation]:
    """cpu, memory and huge pages only; at least what the containers request together, and no container's limit above."""
    field = spec.get("resources")
    if not field.present:
        return
    yield from resources(field, _together(spec, "requests") if field.get("limits").holds else ())
    if field.get("claims").present:
        yield field.get("claims").forbidden("claims may not be set for Resources at pod-level")
    for side in (field.get("limits"), field.get("requests")):
        for name in side.keys:
            if not _of_pods(name):
                message = 'supported values: "cpu", "hugepages-", "memory"'
                yield Violation(side.key(name).path, message, name, Reason.NOT_SUPPORTED)
    yield from _requests(spec, field)
    yield from _limits(spec, field)


def _requests(spec: Field, field: Field) -> Iterator[Violation]:
    limits, given = amounts_of(field.get("limits")), amounts_of(field.get("requests"))
    for name, amount in _together(spec, "requests").items():
        if name in given and given[name] < amount:
            message = f"must be greater than or equal to aggregate container requests of {amount}"
            yield Violation(field.get("requests").key(name).path, message, str(given[name]))
        elif name not in given and _of_pods(name) and name in limits and limits[name] < amount:
            # The pod's requests default to those of its containers.
            message = f"must be less than or equal to {name} limit of {limits[name]}"
            yield Violation(field.get("requests").path, message, str(amount))


def _limits(spec: Field, field: Field) -> Iterator[Violation]:
    limits = amounts_of(field.get("limits"))
    for name, amount in _together(spec, "limits").items():
        if name.startswith(_HUGE_PAGES) and name in limits and limits[name] < amount:
            message = f"must be greater than or equal to aggregate container limits of {amount}"
            yield Violation(field.get("limits").key(name).path, message, str(limits[name]))
    for container in spec.get("containers").items:
        side = container.get("resources").get("limits")
        for name, amount in amounts_of(side).items():
            if name in limits and limits[name] < amount:
                message = f"must be less than or equal to pod limits of {limits[name]}"
                yield Violation(side.key(name).path, message, str(amount))


def _together(spec: Field, side: str) -> Amounts:
    """What the containers need at once. Init containers run one by one, beside the sidecars that started before them."""
    total: Amounts = {}
    for container in spec.get("containers").items:
        total = _sum(total, _own(container, side))
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in spec.get("initContainers").items:
        own = _own(container, side)
        if container.get("restartPolicy").text == "Always":
            total, sidecars = _sum(total, own), _sum(sidecars, own)
            most = _larger(most, sidecars)
        else:
            most = _larger(most, _sum(own, sidecars))
    return _larger(total, most)


def _own(container: Field, side: str) -> Amounts:
    """Requests default to limits."""
    field = container.get("resources")
    limits = amounts_of(field.get("limits"))
    return limits if side == "limits" else {**limits, **amounts_of(field.get("requests"))}


def _sum(one: Amounts, other: Amounts) -> Amounts:
    return {name: one.get(name, ZERO) + other.get(name, ZERO) for name in {**one, **other}}


def _larger(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, ZERO), other.get(name, ZERO)) for name in {**one, **other}}


def _of_pods(name: str) -> bool:
    return name in _COMPUTE or name.startswith(_HUGE_PAGES)
