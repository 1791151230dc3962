"""Sets of exit codes in policies: `exitCodes: {operator: In, values: [137, "1-127"]}`."""

import re
from collections.abc import Iterable
from typing import Final

from shared.model.job import ExitCodeOperator, ExitCodes

_RANGE: Final = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")


class ExitCodeError(ValueError):
    """A value that is no code and no range, with the remedy."""


def bounds(value: int | str) -> tuple[int, int]:
    """The lowest and the highest code of a value. Raises ExitCodeError."""
    found = _RANGE.fullmatch(str(value).strip())
    if found is None:
        raise ExitCodeError('must be an exit code, such as 137, or a range, such as "1-127"')
    low, high = int(found[1]), int(found[2] or found[1])
    if low == 0:
        raise ExitCodeError("0 is not a valid error code")
    if high < low:
        raise ExitCodeError("the end of the range is below its beginning")
    return low, high


def contains(codes: ExitCodes, code: int) -> bool:
    """Whether a container that ended with `code` matches. A success never does; values that cannot be read match nothing."""
    if code == 0:
        return False
    return _listed(codes.values, code) == (codes.operator is ExitCodeOperator.IN)


def _listed(values: Iterable[int | str], code: int) -> bool:
    for value in values:
        try:
            low, high = bounds(value)
        except ExitCodeError:
            continue
        if low <= code <= high:
            return True
    return False
