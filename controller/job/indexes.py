"""Sets of pod indexes as short texts: `0-3,7`."""

from collections.abc import Iterable, Iterator

MOST = 1_000_000  # a damaged status must not cost unbounded memory


def read(text: str) -> frozenset[int]:
    """The indexes that `text` lists; parts that are no range are left out."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found.update(range(int(first), min(int(last or first), MOST) + 1))
    return frozenset(found)


def write(indexes: Iterable[int]) -> str:
    """The shortest text for a set of indexes."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in _ranges(sorted(indexes)))


def _ranges(indexes: list[int]) -> Iterator[tuple[int, int]]:
    position = 0
    while position < len(indexes):
        end = position
        while end + 1 < len(indexes) and indexes[end + 1] == indexes[end] + 1:
            end += 1
        yield indexes[position], indexes[end]
        position = end + 1
