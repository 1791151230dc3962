"""Room promised to pods that the scheduler has yet to bind, and to pods that are yet to be created."""

from collections import Counter
from collections.abc import Collection

import msgspec

from controller.gang.cache.capacity import Capacity, peaks
from controller.gang.cache.pod import Member
from controller.gang.cache.pod_requirements import Amounts, Place, Shape
from shared.key import Key

BOOKED_SECONDS = 60.0  # a create whose answer was lost has happened by then, or never will


class Slot(msgspec.Struct, frozen=True):
    shape: Shape
    node: str  # "" where no nodes are known
    pinned: bool = False


class Booking(msgspec.Struct, frozen=True):
    """Room for a pod that is being created without gate. `at`: epoch seconds."""

    group: Key
    queue: str
    slot: Slot
    at: float


class Promises:
    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._given: dict[str, Slot] = {}
        self._booked: dict[Key, Booking] = {}
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

    # --- pods that are being created ---------------------------------------------------------------------------------

    def book(self, pod: Key, group: Key, queue: str, slot: Slot, now: float) -> None:
        """Book room for a pod that is about to be created without gate."""
        self._release(pod)
        self._booked[pod] = Booking(group, queue, self._made(slot), now)

    def is_booked(self, pod: Key) -> bool:
        return pod in self._booked

    def redeem(self, member: Member) -> bool:
        """A pod has appeared: what was booked for its name is its own now."""
        booking = self._booked.pop(member.ref, None)
        if booking is not None:
            self._given[member.uid] = booking.slot
        return booking is not None

    def not_created(self, pod: Key, at: float) -> None:
        """The API server refused to create the pod, at epoch seconds. What was booked later is for another try."""
        if pod in self._booked and self._booked[pod].at <= at:
            self._release(pod)

    def none_created(self, group: Key, at: float) -> None:
        """The API server refused to create the group, so no pod of it was created."""
        for pod in [pod for pod, booking in self._booked.items() if booking.group == group]:
            self.not_created(pod, at)

    def expire(self, now: float) -> bool:
        """Release what was booked for pods that never appeared. Whether there was any."""
        late = [pod for pod, booking in self._booked.items() if booking.at + BOOKED_SECONDS <= now]
        for pod in late:
            self._release(pod)
        return bool(late)

    @property
    def bookings(self) -> Collection[Booking]:
        return self._booked.values()

    def _release(self, pod: Key) -> None:
        booking = self._booked.pop(pod, None)
        if booking is not None:
            self._unmade(booking.slot)

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
