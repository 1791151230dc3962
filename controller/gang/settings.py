"""The operator's settings of gang admission."""

from typing import Final

import msgspec

BACKOFF_FIRST: Final = 30.0
BACKOFF_LONGEST: Final = 600.0


class AdmissionSettings(msgspec.Struct, frozen=True):
    """Seconds. `reserve_after`: how long the first group waits before nodes are reserved for it; `bind_timeout`: how long the
    binding of an admitted group may take; `reclaim`: whether groups of queues that use more than they deserve are evicted
    for others; `scheduler_starts_gangs`: kube-scheduler binds no pod of a group before all of its minimum exist."""

    reserve_after: float = 60.0
    bind_timeout: float = 300.0
    reclaim: bool = False
    scheduler_starts_gangs: bool = False


def backoff(bind_timeouts: int) -> float:
    """Seconds that a group waits after its nth bind timeout."""
    return min(BACKOFF_LONGEST, BACKOFF_FIRST * 2.0 ** min(bind_timeouts - 1, 20)) if bind_timeouts else 0.0
