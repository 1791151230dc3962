"""The state that one scheduling cycle passes to the next."""

from collections.abc import Mapping

import msgspec

from controller.gang.cache.pending_group import Inadmissible, PendingGroup
from controller.gang.cycle.reservation import NodeReservation
from shared.key import Key

EVICTION_SECONDS = 30.0  # time for evicted pods to end; meanwhile no other group is evicted for the same group


class Eviction(msgspec.Struct, frozen=True):
    """Groups were evicted for this one. `since`: epoch seconds."""

    key: Key
    since: float

    @property
    def until(self) -> float:
        return self.since + EVICTION_SECONDS


class CycleMemory(msgspec.Struct, frozen=True):
    """`inadmissible`: why groups are not admitted; `beyond`: why pods beyond the minimum of admitted groups are not;
    `tried`: the snapshot's version and the group as it was tried; `draining`: an overdue group waits until assumed pods are
    bound, and no other is admitted meanwhile."""

    inadmissible: Mapping[Key, Inadmissible] = {}
    tried: Mapping[Key, tuple[int, PendingGroup]] = {}
    reservation: NodeReservation | None = None
    eviction: Eviction | None = None
    draining: bool = False
    beyond: Mapping[Key, Inadmissible] = {}

    @property
    def awaits_binding(self) -> bool:
        """Whether a group waits until admitted pods are bound."""
        return any(why.awaits_binding for why in self.inadmissible.values())


def is_tried(tried: Mapping[Key, tuple[int, PendingGroup]], group: PendingGroup, version: int) -> bool:
    """Whether neither the group nor anything that could make it admissible has changed since it was tried."""
    known = tried.get(group.key)
    return known is not None and known[0] == version and (known[1] is group or known[1] == group)
