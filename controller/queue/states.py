"""The states of a Queue and what moves between them (docs/design/volcano-behaviour.md, section 5.4; draining: docs/design/decisions.md, row 25)."""

from controller.queue.observed import QueueSeen
from shared.model.phases import QueueState

SHUT = frozenset({QueueState.CLOSED, QueueState.CLOSING})


def synced(seen: QueueSeen, state: QueueState) -> QueueState:
    """Without an order: a queue that is closing is closed once it is drained."""
    return closed(seen) if state is QueueState.CLOSING else state


def closed(seen: QueueSeen) -> QueueState:
    return QueueState.CLOSED if seen.drained else QueueState.CLOSING


def follows_parent(seen: QueueSeen, state: QueueState) -> tuple[QueueState, bool | None]:
    """What the parent's state makes of it, and the new mark `closed-by-parent` (None: as it is)."""
    if seen.parent in SHUT and state not in SHUT:
        return closed(seen), True
    if seen.parent not in SHUT and seen.closed_by_parent:
        return QueueState.OPEN, False
    return state, None
