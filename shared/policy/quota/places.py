"""Who gets the places of quotas: first those that have one, then those that wait, the oldest first."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from shared.policy.quota.quota import Quota

Age = tuple[str, str]
"""creationTimestamp and uid, the order in which objects get places."""


class Slot(msgspec.Struct, frozen=True):
    """A place of a quota that an object needs. `group`: see Quota.group."""

    quota: Quota
    group: str

    def __str__(self) -> str:
        kind, limit = self.quota.kind.kind, self.quota
        return f'at most {limit.most} {kind}s of {self.group} may run at once (policy "{limit.policy}", {limit.rule})'


class PlaceState(StrEnum):
    """OPEN: it holds its places; GRANTED: it may take them, once its status says so; HELD: there is no room; ASKS: it
    needed no place until now."""

    OPEN = "Open"
    GRANTED = "Granted"
    HELD = "Held"
    ASKS = "Asks"


class QuotaPlace(msgspec.Struct, frozen=True):
    """What quotas say of an object. `message`: why it is held."""

    place: PlaceState
    message: str = ""


class Candidate(msgspec.Struct, frozen=True):
    """An active object. `holds`: it has its places already."""

    age: Age
    holds: bool
    slots: tuple[Slot, ...]


def full_slots(candidates: Iterable[Candidate]) -> Mapping[Age, Slot]:
    """The candidates that must wait, each with the first of its slots that is full.

    One that waits for a place in one group takes none in others, so that no place stays empty.
    """
    taken: Counter[tuple[str, str, str]] = Counter()
    waiting: list[Candidate] = []
    for candidate in candidates:
        if candidate.holds:
            taken.update(_key(slot) for slot in candidate.slots)
        else:
            waiting.append(candidate)
    found: dict[Age, Slot] = {}
    for candidate in sorted(waiting, key=lambda each: each.age):
        full = next((slot for slot in candidate.slots if taken[_key(slot)] >= slot.quota.most), None)
        if full is not None:
            found[candidate.age] = full
        else:
            taken.update(_key(slot) for slot in candidate.slots)
    return found


def _key(slot: Slot) -> tuple[str, str, str]:
    return slot.quota.policy, slot.quota.rule, slot.group
