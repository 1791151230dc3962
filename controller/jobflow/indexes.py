"""Sets of iteration indexes as text: "0-57,60"."""

from collections.abc import Iterable


def parse(text: str) -> set[int]:
    """The indexes of a text that `dump` wrote; parts that are no range are left out."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            found.update(range(int(first), int(last or first) + 1))
    return found


def dump(indexes: Iterable[int]) -> str:
    """The shortest text of ranges, ascending."""
    parts: list[list[int]] = []
    for index in sorted(set(indexes)):
        if parts and parts[-1][1] == index - 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
