"""Room promised to pods that the scheduler has yet to bind, and to pods that are yet to be created."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from controller.gang.cache.capacity import Capacity, peaks
from controller.gang.cache.pod import Member
from controller.gang.cache.pod_requirements import Amounts, Place, Shape, added
from shared.key import Key

COMING_SECONDS = 30.0  # pods that were let in before they exist are created at once, or not at all


class Slot(msgspec.Struct, frozen=True):
    shape: Shape
    node: str  # "" where no nodes are known
    pinned: bool = False


class Coming(msgspec.Struct):
    """A group let in before its pods exist: free slots, and those spoken for by a pod's name."""

    queue: str
    until: float
    slots: list[Slot]
    named: dict[str, Slot]


class Promises:
    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._given: dict[str, Slot] = {}
        self._coming: dict[Key, Coming] = {}
        self.shapes: Counter[Shape] = Counter()
        self.pinned = 0  # of them, how many can go to their node only
        self.places: Counter[Place] = Counter()
        self._peaks: Amounts | None = {}

    # --- pods that exist ----------------------------------------------------------------------------------------------

    def holds(self, uid: str) -> bool:
        return uid in self._given

    def give(self, member: Member, node: str, *, pinned: bool = False) -> None:
        if member.uid not in self._given:
            self._given[member.uid] = self._made(Slot(member.shape, node, pinned))

    @property
    def loose(self) -> int:
        """Pods that the scheduler may bind wherever there is room."""
        return self.shapes.total() - self.pinned

    @property
    def peaks(self) -> Amounts:
        """The most that any of them asks for, by resource."""
        if self._peaks is None:
            self._peaks = peaks(dict(shape.requests) for shape in self.shapes)
        return self._peaks

    def take_back(self, uid: str) -> bool:
        """The pod is bound, gone or held again. Whether it had been promised anything."""
        slot = self._given.pop(uid, None)
        if slot is not None:
            self._unmade(slot)
        return slot is not None

    # --- pods to come -------------------------------------------------------------------------------------------------

    def expect(self, ref: Key, queue: str, placed: Iterable[tuple[Shape, str, int]], until: float) -> None:
        """Promise room to a group that is about to be created with its pods."""
        self.drop(ref)
        slots = [self._made(Slot(shape, node)) for shape, node, count in placed for _ in range(count)]
        self._coming[ref] = Coming(queue, until, slots, {})

    def is_expected(self, ref: Key) -> bool:
        return ref in self._coming

    def claim(self, ref: Key, pod: str, shape: Shape) -> bool:
        """Whether room was promised for this pod of the group, which is about to be created."""
        coming = self._coming.get(ref)
        if coming is None:
            return False
        if pod in coming.named:
            return True
        slot = _like(coming.slots, shape)
        if slot is not None:
            coming.slots.remove(slot)
            coming.named[pod] = slot
        return slot is not None

    def redeem(self, member: Member) -> bool:
        """A pod has appeared: what was promised to its name is its own now."""
        coming = self._coming.get(member.group) if member.group else None
        slot = coming.named.pop(member.ref.name, None) if coming else None
        if coming is None or slot is None:
            return False
        self._given[member.uid] = slot
        if member.group and not coming.slots and not coming.named:
            del self._coming[member.group]
        return True

    def drop(self, ref: Key) -> None:
        coming = self._coming.pop(ref, None)
        if coming is not None:
            for slot in (*coming.slots, *coming.named.values()):
                self._unmade(slot)

    def expire(self, now: float) -> bool:
        """Drop what was promised to pods that did not come. Whether there was any."""
        late = [ref for ref, coming in self._coming.items() if coming.until <= now]
        for ref in late:
            self.drop(ref)
        return bool(late)

    def to_come(self) -> Iterator[tuple[Key, Amounts]]:
        for ref, coming in self._coming.items():
            amounts: Amounts = {}
            for slot in (*coming.slots, *coming.named.values()):
                amounts = added(amounts, slot.shape.amounts)
            yield ref, amounts

    def queue_of(self, ref: Key) -> str:
        return self._coming[ref].queue

    def _made(self, slot: Slot) -> Slot:
        self._capacity.promise(slot.node, slot.shape, 1)
        if self._peaks is not None and slot.shape not in self.shapes:
            self._peaks = peaks((self._peaks, dict(slot.shape.requests)))
        self.shapes[slot.shape] += 1
        self.places[slot.shape.place] += 1
        self.pinned += slot.pinned
        return slot

    def _unmade(self, slot: Slot) -> None:
        self._capacity.promise(slot.node, slot.shape, -1)
        self.shapes[slot.shape] -= 1
        self.pinned -= slot.pinned
        self.places[slot.shape.place] -= 1
        if not self.shapes[slot.shape]:
            del self.shapes[slot.shape]
            self._peaks = None
        if not self.places[slot.shape.place]:
            del self.places[slot.shape.place]


def _like(slots: Iterable[Slot], shape: Shape) -> Slot | None:
    """Requests decide: the API server adds tolerations to pods that their templates do not have."""
    return next((slot for slot in slots if slot.shape.requests == shape.requests), None)
