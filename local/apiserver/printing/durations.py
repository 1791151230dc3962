"""Ages as kubectl prints them."""

from typing import Any

from local.apiserver import clock
from shared.duration import human


def since(stamp: Any) -> str:
    """The age of a metav1.Time; `<unknown>` when it is not set."""
    return human(clock.age(stamp)) if stamp else "<unknown>"
