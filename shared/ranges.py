"""Sets of indexes as text, such as "0-57,60".

The statuses of Jobs and JobFlows keep the indexes of pods and iterations in this form, as Kubernetes does for the
completed indexes of its indexed Jobs. A stored text may be damaged or written by somebody else, so reading it needs
bounded time and memory: parts that are not ranges are skipped, and no index above MAX_INDEX is read.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

MAX_INDEX: Final = 199_999  # above the 150,000 pods that Kubernetes supports in one cluster

_RANGE: Final = re.compile(r"([0-9]{1,18})(?:-([0-9]{0,18}))?", re.ASCII)


def parse(text: str) -> frozenset[int]:
    """The indexes that `text` lists. A range without its end ("4-") is its first index."""
    found: set[int] = set()
    for first, last in _merged(_ranges(text)):
        found.update(range(first, last + 1))
    return frozenset(found)


def count(text: str) -> int:
    """How many indexes `text` lists."""
    return sum(last - first + 1 for first, last in _merged(_ranges(text)))


def dump(indexes: Iterable[int]) -> str:
    """The shortest text for a set of indexes, in ascending order."""
    single = ((index, index) for index in indexes)
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in _merged(single))


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match and int(match[1]) <= MAX_INDEX:
            yield int(match[1]), min(int(match[2] or match[1]), MAX_INDEX)


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending ranges that neither overlap nor touch."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if last < first:
            continue
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
