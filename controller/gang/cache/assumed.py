"""Pods that are admitted and not yet bound: their requests count as used on a node until the scheduler binds them.

kube-scheduler does the same between its decision and the binding. Here the scheduler is another process, which may choose
another node; the cycle takes that into account (controller.gang.cycle.feasibility).
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import msgspec

from controller.gang.cache.amounts import Amounts, largest
from controller.gang.cache.capacity import ClusterCapacity
from controller.gang.cache.pod import PodInfo
from controller.gang.cache.pod_requirements import NodeConstraints, PodRequirements
from shared.key import Key
from shared.model.types import Body

BOOKED_SECONDS: Final = 300.0
"""After this time a pod whose create was not answered has been observed or will never exist: the longest pass of the Job
controller (120 s), plus the longest request (30 s), plus the time until a silent watch is replaced (150 s).
"""

HELD_SECONDS: Final = 3.0
"""For how long the place of a lost or failed pod is held: the Job controller replaces the pod within a second."""


class AssumedPod(msgspec.Struct, frozen=True):
    """`node`: "" where no nodes are known; `pinned`: its affinity allows only that node."""

    requirements: PodRequirements
    node: str
    pinned: bool = False


class BookedPod(msgspec.Struct, frozen=True):
    """A pod that is being created without gate, or the place held for one that replaces a lost pod. `at`: when the last
    attempt to create it began, epoch seconds; infinite for a held place, which HeldPlaces releases. `again`: an earlier
    attempt was not answered.
    """

    group: Key
    queue: str
    assumed: AssumedPod
    at: float
    again: bool = False


class AssumedTotals:
    """Sums over the assumed pods: how many of each kind, and how many are pinned to their node."""

    def __init__(self) -> None:
        self.pods: Counter[PodRequirements] = Counter()
        self.constraints: Counter[NodeConstraints] = Counter()
        self.pinned = 0
        self._largest: Amounts | None = {}

    def copy(self) -> "AssumedTotals":
        made = AssumedTotals()
        made.pods, made.constraints, made.pinned = self.pods.copy(), self.constraints.copy(), self.pinned
        made._largest = self._largest
        return made

    @property
    def unpinned(self) -> int:
        """Pods that the scheduler may bind to any eligible node."""
        return self.pods.total() - self.pinned

    @property
    def largest(self) -> Amounts:
        """The largest request of any of them, by resource."""
        if self._largest is None:
            self._largest = largest(dict(pod.requests) for pod in self.pods)
        return self._largest

    def add(self, pod: AssumedPod) -> None:
        if self._largest is not None and pod.requirements not in self.pods:
            self._largest = largest((self._largest, dict(pod.requirements.requests)))
        self.pods[pod.requirements] += 1
        self.constraints[pod.requirements.constraints] += 1
        self.pinned += pod.pinned

    def remove(self, pod: AssumedPod) -> None:
        requirements = pod.requirements
        self.pods[requirements] -= 1
        self.constraints[requirements.constraints] -= 1
        self.pinned -= pod.pinned
        if not self.pods[requirements]:
            del self.pods[requirements]
            self._largest = None
        if not self.constraints[requirements.constraints]:
            del self.constraints[requirements.constraints]


class AssumedPods:
    """The assumed pods; updates `capacity` accordingly."""

    def __init__(self, capacity: ClusterCapacity) -> None:
        self.totals = AssumedTotals()
        self._capacity = capacity
        self._by_uid: dict[str, AssumedPod] = {}
        self._booked: dict[Key, BookedPod] = {}

    # --- pods that exist ----------------------------------------------------------------------------------------------

    def has(self, uid: str) -> bool:
        return uid in self._by_uid

    def assume(self, pod: PodInfo, node: str, *, pinned: bool = False) -> None:
        if pod.uid not in self._by_uid:
            self._by_uid[pod.uid] = self._add(AssumedPod(pod.requirements, node, pinned))

    def forget(self, uid: str) -> bool:
        """Forget a pod that is bound, deleted or gated again. Returns whether it was assumed."""
        known = self._by_uid.pop(uid, None)
        if known is not None:
            self._remove(known)
        return known is not None

    # --- pods that are being created ----------------------------------------------------------------------------------

    def book(self, pod: Key, booked: BookedPod) -> None:
        """Assume a pod that is about to be created without gate."""
        self._release(pod)
        self._add(booked.assumed)
        self._booked[pod] = booked

    def booking(self, pod: Key) -> BookedPod | None:
        return self._booked.get(pod)

    def attempted_again(self, pod: Key, now: float) -> None:
        """Another attempt to create a booked pod begins, at epoch seconds: it may take as long as the first."""
        self._booked[pod] = msgspec.structs.replace(self._booked[pod], at=now, again=True)

    def unbook(self, pod: Key, booked: BookedPod) -> bool:
        """Release this booking, unless another has taken its place. Returns whether it was released."""
        if self._booked.get(pod) is not booked:
            return False
        self._release(pod)
        return True

    @property
    def booked(self) -> Collection[BookedPod]:
        return self._booked.values()

    def created(self, pod: PodInfo) -> BookedPod | None:
        """The pod is in the cache: an assumed pod takes the place of the booking under its name, which is returned.

        It has the requirements of the pod as it is stored, which may be others than the booked ones.
        """
        booked = self._booked.get(pod.key)
        if booked is not None:
            self._release(pod.key)
            self._by_uid[pod.uid] = self._add(AssumedPod(pod.requirements, booked.assumed.node))
        return booked

    def not_created(self, pod: Key, at: float) -> None:
        """The API server refused to create the pod, at epoch seconds. A later booking belongs to another attempt."""
        if pod in self._booked and self._booked[pod].at <= at:
            self._release(pod)

    def not_attempted(self, group: Key, at: float) -> None:
        """The API server refused one of the group's pods, at epoch seconds: the others that were booked for the same
        attempt exist by now or were not sent."""
        left = [
            pod
            for pod, booked in self._booked.items()
            if booked.group == group and booked.at <= at and not booked.again
        ]
        for pod in left:
            self._release(pod)

    def none_created(self, group: Key, at: float) -> None:
        """The API server refused to create the PodGroup, and with it all of its pods."""
        for pod in [pod for pod, booked in self._booked.items() if booked.group == group]:
            self.not_created(pod, at)

    def expire(self, now: float) -> bool:
        """Release bookings for pods that were never created. Returns whether there were any."""
        late = [pod for pod, booked in self._booked.items() if booked.at + BOOKED_SECONDS <= now]
        for pod in late:
            self._release(pod)
        return bool(late)

    @property
    def next_expiry(self) -> float | None:
        """When `expire` may have something to release, epoch seconds."""
        first = min((booked.at for booked in self._booked.values()), default=math.inf)
        return first + BOOKED_SECONDS if math.isfinite(first) else None

    def _release(self, pod: Key) -> None:
        booked = self._booked.pop(pod, None)
        if booked is not None:
            self._remove(booked.assumed)

    def _add(self, pod: AssumedPod) -> AssumedPod:
        self._capacity.assume(pod.node, pod.requirements, 1)
        self.totals.add(pod)
        return pod

    def _remove(self, pod: AssumedPod) -> None:
        self._capacity.assume(pod.node, pod.requirements, -1)
        self.totals.remove(pod)


class HeldPlaces:
    """The places of lost and failed pods, booked for the pods that replace them under their names. A booking of the
    controller that creates such a pod takes the place of this one, and is not released here.
    """

    def __init__(self, assumed: AssumedPods) -> None:
        self._assumed = assumed
        self._booked: dict[Key, BookedPod] = {}
        self._until: dict[Key, float] = {}  # epoch seconds, once `release` has seen the place

    def hold(self, pod: PodInfo, group: Key, queue: str) -> None:
        """Hold the place of a lost pod, unless its successor has one already."""
        if self._assumed.booking(pod.key) is None:
            booked = BookedPod(group, queue, AssumedPod(pod.requirements, pod.node), at=math.inf)
            self._assumed.book(pod.key, booked)
            self._booked[pod.key] = booked
            self._until.pop(pod.key, None)

    def extend(self, pod: Key) -> None:
        """Hold the place as long again, if it is still held: the failed pod is being replaced."""
        self._until.pop(pod, None)

    def release(self, now: float, is_needed: Callable[[Key], bool]) -> tuple[Key, ...]:
        """Release the places held for HELD_SECONDS, and those of groups that do not need them. Returns their groups, one
        for each place."""
        released = []
        for pod, booked in list(self._booked.items()):
            if now < self._until.setdefault(pod, now + HELD_SECONDS) and is_needed(booked.group):
                continue
            del self._booked[pod], self._until[pod]
            if self._assumed.unbook(pod, booked):
                released.append(booked.group)
        return tuple(released)

    @property
    def next_release(self) -> float | None:
        """When the next place is to be released, epoch seconds."""
        return min(self._until.values(), default=None)


class ChangedRequests:
    """Where pods may be stored with other requests than they are created with, so that room for them can be judged
    only then.

    LimitRanges add default requests, RuntimeClasses add overhead, and webhooks of others may add containers. Remembers
    the namespaces with a LimitRange, and those in which a pod was stored with more than it was created with.
    """

    def __init__(self) -> None:
        self._ranges: dict[str, set[str]] = {}
        self._grown: set[str] = set()

    def update(self, old: Body | None, new: Body | None) -> None:
        """A LimitRange was added, changed or deleted."""
        metadata = (new or old or {})["metadata"]
        known = self._ranges.setdefault(metadata["namespace"], set())
        (known.add if new else known.discard)(metadata["name"])
        if not known:
            del self._ranges[metadata["namespace"]]

    def compare(self, stored: PodInfo, created: PodRequirements) -> None:
        """A pod of ours was stored. `created`: its requirements as they were sent."""
        known = created.amounts
        if any(amount > known.get(name, 0) for name, amount in stored.requirements.amounts.items()):
            self._grown.add(stored.key.namespace)

    def may_change(self, pod: Mapping[str, Any]) -> bool:
        """Whether the API server may store the pod with other requests."""
        namespace, spec = pod["metadata"].get("namespace", ""), pod.get("spec") or {}
        gains_overhead = bool(spec.get("runtimeClassName")) and not spec.get("overhead")
        return namespace in self._ranges or namespace in self._grown or gains_overhead
