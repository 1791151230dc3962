"""Amounts of resources as integers, the arithmetic on them, and their text in messages."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from controller.gang.cache.exclusive_resources import is_exclusive
from shared.quantity import Quantity, QuantityError, quantity

Amounts = dict[str, int]
"""Resource -> thousandths of a CPU, or whole units of anything else, as kube-scheduler counts."""

CPU: Final = "cpu"


def amounts_of(raw: Any) -> Amounts:
    """A resource list of the API. Values that are not quantities are left out."""
    found = {}
    for name, value in raw.items() if isinstance(raw, Mapping) else ():
        try:
            found[str(name)] = to_units(str(name), quantity(value))
        except QuantityError:
            continue
    return found


def to_units(resource: str, amount: Quantity) -> int:
    return amount.milli if resource == CPU else amount.value


def added(first: Mapping[str, int], second: Mapping[str, int]) -> Amounts:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}


def less(first: Mapping[str, int], second: Mapping[str, int]) -> Amounts:
    return {name: first.get(name, 0) - second.get(name, 0) for name in {**first, **second}}


def multiplied(amounts: Iterable[tuple[str, int]], factor: int) -> Amounts:
    return {name: amount * factor for name, amount in amounts}


def summed(parts: Iterable[Mapping[str, int]]) -> Amounts:
    amounts: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            amounts[name] = amounts.get(name, 0) + amount
    return amounts


def largest(parts: Iterable[Mapping[str, int]]) -> Amounts:
    """The largest amount of each resource."""
    amounts: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            amounts[name] = max(amounts.get(name, 0), amount)
    return amounts


def pods_that_fit(free: Mapping[str, int], requests: Iterable[tuple[str, int]]) -> int:
    """How many pods with these requests (not empty) fit into `free`."""
    most = -1
    for name, amount in requests:
        have = free.get(name, 0)
        number = have // amount if have > 0 else have + is_exclusive(name)
        if number <= 0:
            return 0
        if number < most or most < 0:
            most = number
    return max(0, most)


def format_amount(resource: str, amount: int) -> str:
    """`1500m`, `4`, `12Gi`."""
    if resource == CPU:
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    for suffix, size in (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20)):
        if abs(amount) >= size:
            return f"{amount / size:.4g}{suffix}"
    return str(amount)


def format_amounts(amounts: Mapping[str, int], only: Iterable[str] | None = None) -> str:
    """`cpu 10, memory 4Gi`. `only`: these resources, also those that are 0."""
    names = sorted(amounts if only is None else only)
    return ", ".join(f"{name} {format_amount(name, amounts.get(name, 0))}" for name in names)
