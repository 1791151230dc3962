"""Whether an object takes a place in a quota, waits for one, or does neither."""

from enum import StrEnum


class Standing(StrEnum):
    """HOLDS: it may run, or something of it still does; WAITS: it would run, and no status says yet that it may; IDLE:
    neither."""

    IDLE = "Idle"
    WAITS = "Waits"
    HOLDS = "Holds"
