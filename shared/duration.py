"""Go durations such as `1h30m`, `300ms` and `-2m`, in seconds.

Reads what time.ParseDuration reads and writes what Duration.String writes, because the API uses Go's notation. `age` and
`lasted` shorten spans of time for people, as kubectl does.
"""

import math
import re
from decimal import Decimal
from typing import Final

_UNITS: Final = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_NUMBER: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_UNIT: Final = r"(?:ns|us|µs|μs|ms|s|m|h)"
_PART: Final = re.compile(rf"({_NUMBER})({_UNIT})")
_WHOLE: Final = re.compile(rf"[+-]?(?:{_NUMBER}{_UNIT})+")
_MOST: Final = Decimal(2**63) / Decimal(10**9)  # Go counts nanoseconds in an int64
_MAX_LENGTH: Final = 200
_LENGTHS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}
_AGES: Final = (
    (2 * 60, "s", ""),
    (10 * 60, "m", "s"),
    (3 * 3600, "m", ""),
    (8 * 3600, "h", "m"),
    (48 * 3600, "h", ""),
    (8 * 86400, "d", "h"),
    (2 * 365 * 86400, "d", ""),
    (8 * 365 * 86400, "y", "d"),
    (math.inf, "y", ""),
)
"""Ages below so many seconds have this unit, and beside it the smaller one."""


class DurationError(ValueError):
    """The text is not a Go duration. The message is Go's own."""


def seconds(text: str) -> float:
    """The seconds that `text` stands for, negative ones too. Raises DurationError."""
    if text in ("0", "+0", "-0"):
        return 0.0
    if len(text) > _MAX_LENGTH or not _WHOLE.fullmatch(text):
        raise DurationError(f'time: invalid duration "{text[:_MAX_LENGTH]}"')
    total = sum((Decimal(number) * _UNITS[unit] for number, unit in _PART.findall(text)), Decimal(0))
    if total >= _MOST:
        raise DurationError(f'time: invalid duration "{text}"')
    return float(-total if text.startswith("-") else total)


def seconds_or(text: str | None, otherwise: float) -> float:
    """`seconds(text)`, or `otherwise` if the text is absent or not a duration."""
    if not text:
        return otherwise
    try:
        return seconds(text)
    except DurationError:
        return otherwise


def text(value: float) -> str:
    """`value` seconds, rounded to milliseconds, as Go prints them: `1h0m5s`, `1.5s`, `250ms`, `0s`."""
    millis = round(abs(value) * 1000)
    sign = "-" if value < 0 and millis else ""
    if millis < 1000:
        return f"{sign}{millis}ms" if millis else "0s"
    minutes, rest = divmod(millis, 60_000)
    hours, minutes = divmod(minutes, 60)
    last = f"{Decimal(rest).scaleb(-3).normalize():f}s"
    return f"{sign}{hours}h{minutes}m{last}" if hours else f"{sign}{minutes}m{last}" if minutes else f"{sign}{last}"


def age(created: float | None, now: float) -> str:
    """The time since `created` as kubectl prints it; a moment in the future counts as now."""
    return "<unknown>" if created is None else human(max(now - created, 0.0))


def human(seconds: float) -> str:
    """`45s`, `3m20s`, `12m`, `5h7m`, `30h`, `3d4h`, `12d`, `2y30d`: as kubectl prints ages (HumanDuration of
    k8s.io/apimachinery)."""
    if seconds < -1:
        return "<invalid>"
    whole = max(int(seconds), 0)
    unit, smaller = next((unit, smaller) for below, unit, smaller in _AGES if whole < below)
    count, rest = divmod(whole, _LENGTHS[unit])
    beside = rest // _LENGTHS[smaller] if smaller else 0
    return f"{count}{unit}{beside}{smaller}" if beside else f"{count}{unit}"


def lasted(seconds: float) -> str:
    """`42s`, `3m05s`, `2h07m`, `4d03h`: never more than two units."""
    whole = max(int(seconds), 0)
    days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
