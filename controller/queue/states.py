"""The states of a Queue and the transitions between them (docs/design/volcano-behaviour.md, section 5.4; draining: docs/design/decisions.md, row 25)."""

from controller.queue.observed import QueueObservation
from shared.model.phases import QueueState

NOT_OPEN = frozenset({QueueState.CLOSED, QueueState.CLOSING})


def when_drained(observed: QueueObservation, state: QueueState) -> QueueState:
    """A Closing queue becomes Closed when no unfinished PodGroup and no open child is left."""
    return closed(observed) if state is QueueState.CLOSING else state


def closed(observed: QueueObservation) -> QueueState:
    return QueueState.CLOSED if observed.drained else QueueState.CLOSING


def with_parent_state(observed: QueueObservation, state: QueueState) -> tuple[QueueState, bool | None]:
    """A queue is closed and opened with its parent: the state, and the new value of the annotation that says that the parent
    closed it (None: unchanged)."""
    if observed.parent in NOT_OPEN and state not in NOT_OPEN:
        return closed(observed), True
    if observed.parent not in NOT_OPEN and observed.closed_by_parent:
        return QueueState.OPEN, False
    return state, None
