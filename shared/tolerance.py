"""`for.tolerate`: how many iterations may fail, as a number ("3", 3) or a share ("10%")."""

import re
from typing import Final

_NUMBER: Final = re.compile(r"([0-9]{1,9})(%?)", re.ASCII)
_WHOLE: Final = 100


class ToleranceError(ValueError):
    """The text is neither a number nor a share."""


def tolerated(value: int | str, total: int | None) -> int:
    """How many of `total` iterations may fail; a share is rounded down. Raises ToleranceError."""
    number, is_share = parse(value)
    return (total or 0) * number // _WHOLE if is_share else number


def parse(value: int | str) -> tuple[int, bool]:
    """The number, and whether it is in percent. Raises ToleranceError."""
    match = _NUMBER.fullmatch(str(value))
    if match is None:
        raise ToleranceError('must be a number of iterations, such as 3, or a share of them, such as "10%"')
    number, is_share = int(match[1]), bool(match[2])
    if is_share and number > _WHOLE:
        raise ToleranceError("a share must be at most 100%")
    return number, is_share
