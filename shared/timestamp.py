"""Converts between metav1.Time (`2026-01-02T03:04:05Z`) and seconds since 1970."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


@lru_cache(maxsize=4096)
def epoch(text: str) -> float:
    """Seconds since 1970 of an RFC3339 text. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def epoch_or_none(text: str | None) -> float | None:
    """`epoch(text)`, or None if the text is absent or not a time."""
    try:
        return epoch(text) if text else None
    except ValueError:
        return None


def is_date_time(text: str) -> bool:
    """Whether the API server accepts `text` in a field of the format date-time: RFC 3339 with time and zone."""
    return _DATE_TIME.fullmatch(text) is not None and epoch_or_none(text) is not None


def rfc3339(at: float) -> str:
    """`at` rounded down to seconds, as Kubernetes writes times."""
    return _of_second(int(at))


@lru_cache(maxsize=256)
def _of_second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
