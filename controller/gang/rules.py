"""What the operator sets for admission."""

from typing import Final

import msgspec

BACKOFF_BASE: Final = 30.0
BACKOFF_CAP: Final = 600.0


class Rules(msgspec.Struct, frozen=True):
    """Seconds. `reserve_after`: how long the first in line waits before room is kept for it; `bind_timeout`: how long a
    group may take to be bound before it is put back; `reclaim`: whether groups above their queue's share give way; `bound_whole`: kube-scheduler
    starts no pod of a group before all of its minimum exist."""

    reserve_after: float = 60.0
    bind_timeout: float = 300.0
    reclaim: bool = False
    bound_whole: bool = False


def backoff(put_back: int) -> float:
    """Seconds that a group waits after it was put back for the nth time."""
    return min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(put_back - 1, 20)) if put_back else 0.0
