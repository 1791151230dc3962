"""Amounts of resources as the status of a Queue shows them."""

from collections.abc import Mapping
from typing import Final

from shared.quantity import NANO, Format, Quantity

MILLI: Final = frozenset({"cpu"})
BINARY: Final = frozenset({"memory", "ephemeral-storage"})


def as_quantities(amounts: Mapping[str, int]) -> dict[str, str]:
    """Thousandths of CPUs and whole units of the rest -> canonical quantities, without what is 0."""
    return {name: _text(name, amounts[name]) for name in sorted(amounts) if amounts[name]}


def _text(name: str, amount: int) -> str:
    binary = name in BINARY or name.startswith("hugepages-")
    nanos = amount * (NANO // 1000 if name in MILLI else NANO)
    return str(Quantity(nanos, Format.BINARY_SI if binary else Format.DECIMAL_SI))
