"""Medians, spreads and percentiles."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Median and spread of the repeats of one figure."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return short(self.median)
        return f"{short(self.median)} [{short(self.least)}-{short(self.most)}]"


def spread(values: Sequence[float]) -> Spread:
    """Raises ValueError when there are no values."""
    return Spread(percentile(values, 50), min(values), max(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """Linear between the two nearest ranks. Raises ValueError when there are no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def percentiles(values: Sequence[float], prefix: str, *percents: float) -> dict[str, Any]:
    """`{prefix}_p50` and so on; empty if there are no values."""
    if not values:
        return {}
    return {f"{prefix}_p{percent:g}": percentile(values, percent) for percent in percents}


def short(value: float) -> str:
    """The value with three significant digits."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
