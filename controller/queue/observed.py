"""Everything that deciding about a Queue may look at."""

from collections.abc import Mapping

import msgspec

from shared import names
from shared.model.command import Command
from shared.model.phases import PodGroupPhase, QueueState
from shared.model.queue import Queue
from shared.model.types import Body


class QueueObservation(msgspec.Struct, frozen=True):
    """A Queue and the objects around it, read at one time.

    `parent`: the parent's state, None for root and within a cycle; `children`: states by name; `groups`: numbers of PodGroups
    by phase; `allocated`: what they use, None when another scheduler counts the usage; `cycle`: the cycle of parents
    that
    the queue is in, as ("a", "b", "a"), and `reported_cycle` the one that this process has reported by an event;
    `wrote_ago`: seconds since this process last wrote the status, by a monotonic clock; None for never.
    """

    queue: Queue
    body: Body
    now: float
    parent: QueueState | None = None
    children: Mapping[str, QueueState] = {}
    groups: Mapping[PodGroupPhase, int] = {}
    allocated: Mapping[str, str] | None = None
    commands: tuple[Command, ...] = ()
    cycle: tuple[str, ...] = ()
    reported_cycle: tuple[str, ...] = ()
    wrote_ago: float | None = None
    count_seconds: float = 1.0

    @property
    def name(self) -> str:
        return self.queue.metadata.name

    @property
    def state(self) -> QueueState:
        """A queue without a state was just created and counts as Open."""
        return self.queue.status.state or QueueState.OPEN

    @property
    def closed_by_parent(self) -> bool:
        return self.queue.metadata.annotations.get(names.CLOSED_BY_PARENT) == "true"

    @property
    def drained(self) -> bool:
        """No unfinished PodGroup and no open child is left. Completed groups do not count (docs/design/decisions.md, row 25)."""
        unfinished = sum(count for phase, count in self.groups.items() if phase is not PodGroupPhase.COMPLETED)
        return not unfinished and all(state is QueueState.CLOSED for state in self.children.values())
