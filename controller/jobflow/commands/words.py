"""Names of steps in sentences."""

from collections.abc import Sequence

from shared.codec.plural import verb

_MOST = 5


def named(names: Sequence[str]) -> str:
    """`step a`, or `steps a, b, c, d, e and 7 more`."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"step{'' if len(names) == 1 else 's'} {', '.join(names[:_MOST])}{more}"


def steps_that(names: Sequence[str], singular: str, plural: str) -> str:
    """`step a runs`, or `steps a, b run`: the steps with their verb."""
    return f"{named(names)} {verb(len(names), singular, plural)}"
