"""Ages as kubectl prints them (k8s.io/apimachinery/pkg/util/duration.HumanDuration)."""

from typing import Any

from local.apiserver import clock

_DAY = 24


def human(seconds: float) -> str:
    """`45s`, `3m20s`, `12m`, `5h7m`, `30h`, `3d4h`, `12d`, `2y30d`."""
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    whole = int(seconds)
    minutes, hours = whole // 60, whole // 3600
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < _DAY * 8:
        return _two(hours // _DAY, "d", hours % _DAY, "h")
    if hours < _DAY * 365 * 2:
        return f"{hours // _DAY}d"
    years = hours // _DAY // 365
    return _two(years, "y", hours // _DAY % 365, "d") if hours < _DAY * 365 * 8 else f"{years}y"


def _two(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first}{first_unit}{second}{second_unit}" if second else f"{first}{first_unit}"


def since(stamp: Any) -> str:
    """The age of a metav1.Time; `<unknown>` when it is not set."""
    return human(clock.age(stamp)) if stamp else "<unknown>"
