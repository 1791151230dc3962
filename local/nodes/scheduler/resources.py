"""Requests of pods and allocatable amounts of nodes as numbers: `cpu` in cores, others in units."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from shared.model.types import Body

Amounts = dict[str, Decimal]

_SUFFIXES = {
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
}


def quantity(text: Any) -> Decimal:
    """A Kubernetes quantity: `500m`, `2Gi`, `1e3`, 4."""
    shown = str(text)
    for length in (2, 1):
        factor = _SUFFIXES.get(shown[-length:])
        if factor is not None:
            return Decimal(shown[:-length]) * factor
    return Decimal(shown)


def amounts(raw: Mapping[str, Any] | None) -> Amounts:
    return {name: quantity(value) for name, value in (raw or {}).items()}


def requests(pod: Body) -> Amounts:
    """The requests of a pod: its containers and sidecars, or the largest init container, plus overhead."""
    spec = pod["spec"]
    running = _sum(_container(each) for each in spec["containers"])
    largest: Amounts = {}
    for init in spec.get("initContainers") or []:
        own = _container(init)
        if init.get("restartPolicy") == "Always":
            running = _sum([running, own])
        else:
            largest = _largest(largest, own)
    total = _sum([_largest(running, largest), amounts(spec.get("overhead"))])
    return total | {"pods": Decimal(1)}


def add(left: Amounts, right: Amounts, sign: int = 1) -> Amounts:
    return left | {name: left.get(name, Decimal(0)) + sign * value for name, value in right.items()}


def lacking(wanted: Amounts, free: Amounts) -> list[str]:
    """The resources that are insufficient."""
    return [name for name, value in wanted.items() if value > 0 and value > free.get(name, Decimal(0))]


def _container(container: Body) -> Amounts:
    resources = container.get("resources") or {}
    return amounts(resources.get("limits")) | amounts(resources.get("requests"))


def _sum(parts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        total = add(total, part)
    return total


def _largest(left: Amounts, right: Amounts) -> Amounts:
    return left | {name: max(left.get(name, Decimal(0)), value) for name, value in right.items()}
