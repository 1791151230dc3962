"""Times in the formats of the API."""

import time
from datetime import UTC, datetime


def now_text() -> str:
    """metav1.Time: whole seconds."""
    return text(time.time())


def text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_text(at: float) -> str:
    """metav1.MicroTime, the format of Leases."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
