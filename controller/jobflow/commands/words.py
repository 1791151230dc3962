"""Names of steps in sentences."""

from collections.abc import Sequence

_MOST = 5


def named(names: Sequence[str]) -> str:
    """`step a`, or `steps a, b, c, d, e and 7 more`."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"step{'' if len(names) == 1 else 's'} {', '.join(names[:_MOST])}{more}"


def verb(names: Sequence[str], one: str, many: str) -> str:
    """`step a runs`, or `steps a, b run`."""
    return f"{named(names)} {one if len(names) == 1 else many}"
