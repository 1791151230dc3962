"""Turns Python values into plain JSON: references become `$(...)`, durations seconds, tuples lists. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

from jobflow.expressions.cel_value import CelValue
from shared.duration import DurationError, seconds, text
from shared.model.types import Body

Json = str | int | float | bool | CelValue | Mapping[str, "Json"] | Sequence["Json"] | None
"""What can stand in a manifest. Values such as `flow.params.day` become `$(params.day)`."""
Plain = str | int | float | bool | dict[str, "Plain"] | list["Plain"] | None
Text = str | int | float | bool | CelValue
Span = int | float | str | timedelta
"""Seconds, a text such as "1h30m" or "7d", or a timedelta."""
_DAYS: Final = re.compile(r"(\d+)d(.*)")


def plain(value: object) -> Plain:
    """Raises TypeError for values that JSON does not have."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, CelValue):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(each) for each in value]
    raise TypeError(f"{value!r} is a {type(value).__name__}: manifests can have texts, numbers, lists and dicts only")


def as_text(value: Text) -> str:
    """As strings of a manifest hold it: true, 3, 0.5, $(params.day)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | CelValue):
        return str(value)
    raise TypeError(f"{value!r} is a {type(value).__name__}: give a text or a number")


def whole_seconds(value: Span, name: str) -> int:
    """Raises ValueError for a text that is no duration, and for parts of a second."""
    found = as_seconds(value, name)
    if found != int(found):
        raise ValueError(f"{name}={value!r}: give whole seconds")
    return int(found)


def duration(value: Span, name: str) -> str:
    """As Go writes durations. A text without days is kept as it is."""
    kept = isinstance(value, str) and not _DAYS.fullmatch(value)
    return str(value) if kept else text(as_seconds(value, name))


def as_seconds(value: Span, name: str) -> float:
    """Raises ValueError for a text that is no duration."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if not isinstance(value, str):
        return float(value)
    days = _DAYS.fullmatch(value)
    try:
        return int(days[1]) * 86_400.0 + seconds(days[2] or "0s") if days else seconds(value)
    except DurationError:
        wanted = 'write seconds, a duration such as "1h30m" or "7d", or a timedelta'
        raise ValueError(f"{name}={value!r}: {wanted}") from None


def merged(base: Body, over: Mapping[str, object]) -> Body:
    """`over` laid over `base`: dicts are merged, everything else replaces."""
    result = dict(base)
    for key, value in over.items():
        before = result.get(key)
        result[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, Mapping) else plain(value)
    return result


def without_none(**fields: object) -> Body:
    """The fields that were given, a trailing underscore of names taken off."""
    return {name.rstrip("_"): plain(value) for name, value in fields.items() if value is not None}


def check_arguments(where: str, given: Mapping[str, object], known: Sequence[str]) -> None:
    """Raises TypeError for keyword arguments that do not exist."""
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}=?" if near else f"; there are {', '.join(known)}"
            raise TypeError(f"{where} has no argument {name}={hint}")


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(f"{key!r}: keys of a manifest must be texts")
