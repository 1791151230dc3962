"""The places of quotas at one moment: how many are taken, and which of the waiting objects must continue to wait."""

from collections.abc import Iterable, Mapping, Sequence

from shared.policy.quota.places import Age, Candidate, Slot, full_slots, taken_by


class Room:
    """The places of the given objects. Waiting objects are compared only when a place is free."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        active = tuple(candidates)
        self._taken = taken_by(each for each in active if each.holds)
        self._waiting = {each.age: each for each in active if not each.holds}
        self._full: Mapping[Age, Slot] | None = None

    def full(self, age: Age, slots: Sequence[Slot]) -> Slot | None:
        """The slot for which a waiting object must continue to wait; None if it may begin."""
        for slot in slots:
            if self._taken[slot.key] >= slot.quota.most:
                return slot
        if self._full is None:
            self._full = full_slots(self._taken, self._waiting.values())
        return self._full.get(age)

    def wait(self, age: Age, slots: tuple[Slot, ...]) -> None:
        """Count an object as one that waits."""
        self._waiting[age] = Candidate(age, holds=False, slots=slots)
        self._full = None

    def leave(self, slots: Iterable[Slot]) -> None:
        """Free the places of an object that held them."""
        for slot in slots:
            self._taken[slot.key] -= 1
        self._full = None

    def take(self, age: Age, slots: Sequence[Slot]) -> None:
        """Count a waiting object as one that holds its places."""
        for slot in slots:
            self._taken[slot.key] += 1
        if self._waiting.pop(age, None) is not None and self._full is not None and age in self._full:
            self._full = None  # an exception let it begin before older ones
