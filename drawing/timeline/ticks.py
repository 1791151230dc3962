"""Round times on the axis of a timeline. Pure."""

from collections.abc import Iterator
from typing import Final

_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DAY: Final = 86400


def ticks(seconds: float, most: int = 8) -> Iterator[int]:
    """From 0 up to `seconds`, evenly, at most `most` after 0."""
    step = next((step for step in _STEPS if seconds / step <= most), 0)
    if not step:
        step = int(seconds / most / _DAY + 1) * _DAY
    return iter(range(0, int(seconds) + 1, step))
