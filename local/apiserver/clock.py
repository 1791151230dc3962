"""The server's clock, in the formats of the API; the only module of the server that reads the time."""

import time
from datetime import UTC, datetime


def now() -> str:
    """metav1.Time: RFC3339 in whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def after(seconds: float) -> str:
    """The metav1.Time `seconds` from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def seconds(text: str) -> float:
    """Epoch seconds of a metav1.Time or MicroTime."""
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def age(text: str) -> float:
    """Seconds since a metav1.Time."""
    return time.time() - seconds(text)
