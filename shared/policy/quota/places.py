"""Who gets the places of quotas: first those that have one, then those that wait, the oldest first."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from shared.policy.quota.quota import Quota

Age = tuple[str, str]
"""creationTimestamp and uid, the order in which objects get places."""
SlotKey = tuple[str, str, str]
"""The policy, the rule and the group of which a place is taken."""


class Slot(msgspec.Struct, frozen=True):
    """A place of a quota that an object needs. `group`: see Quota.group."""

    quota: Quota
    group: str

    @property
    def key(self) -> SlotKey:
        return self.quota.policy, self.quota.rule, self.group

    def __str__(self) -> str:
        limit = self.quota
        kind = limit.kind.kind if limit.most == 1 else f"{limit.kind.kind}s"
        return f'at most {limit.most} {kind} of {self.group} may run at once (policy "{limit.policy}", {limit.rule})'


class PlaceState(StrEnum):
    """OPEN: it holds its places; GRANTED: it may take them, once its status says so; HELD: there is no room;
    NOT_REQUESTED: its stored status does not count as waiting for places, so it must first be written that it waits."""

    OPEN = "Open"
    GRANTED = "Granted"
    HELD = "Held"
    NOT_REQUESTED = "NotRequested"


class QuotaPlace(msgspec.Struct, frozen=True):
    """The places of an object in all quotas that apply to it. `message`: why it is held, or would be if it were to begin
    now."""

    state: PlaceState
    message: str = ""

    @property
    def waits(self) -> bool:
        """Whether its status must say that it waits for a place."""
        return self.state in (PlaceState.HELD, PlaceState.NOT_REQUESTED)


class Candidate(msgspec.Struct, frozen=True):
    """An active object. `holds`: it has its places already."""

    age: Age
    holds: bool
    slots: tuple[Slot, ...]


def taken_by(holders: Iterable[Candidate]) -> Counter[SlotKey]:
    """How many places of each quota and group are taken."""
    return Counter(slot.key for holder in holders for slot in holder.slots)


def full_slots(taken: Mapping[SlotKey, int], waiting: Iterable[Candidate]) -> Mapping[Age, Slot]:
    """The candidates that must keep waiting, each with the first of its slots that is full. `taken`: see `taken_by`.

    One that waits for a place in one group takes none in others, so that no place stays empty.
    """
    counts = Counter(taken)
    found: dict[Age, Slot] = {}
    for candidate in sorted(waiting, key=lambda each: each.age):
        full = next((slot for slot in candidate.slots if counts[slot.key] >= slot.quota.most), None)
        if full is not None:
            found[candidate.age] = full
        else:
            counts.update(slot.key for slot in candidate.slots)
    return found
