"""One scheduling cycle: checks all pending groups in order against the free capacity. Pure functions of a snapshot."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from controller.gang.cache.capacity import Free
from controller.gang.cache.pending_group import NOT_BOUND_IN_TIME, NOT_ENOUGH_RESOURCES, Inadmissible, PendingGroup
from controller.gang.cache.placement import Placement
from controller.gang.cache.pod import PodInfo
from controller.gang.cache.queue_usage import QueueUsage
from controller.gang.cache.snapshot import Snapshot
from controller.gang.cycle.fair_sharing import FairSharingOrder
from controller.gang.cycle.feasibility import FeasibilityCheck
from controller.gang.cycle.memory import CycleMemory, Eviction, is_tried
from controller.gang.cycle.reservation import Unreserved, reserve
from controller.gang.preemption.preemption import groups_to_evict
from controller.gang.settings import AdmissionSettings, backoff
from shared.key import Key
from shared.names import ROOT_QUEUE
from shared.timestamp import rfc3339


class Assignment(msgspec.Struct, frozen=True):
    """A pod to ungate. `node`: where it is assumed; `pinned`: it may go there only."""

    pod: PodInfo
    node: str
    pinned: bool = False


class CycleResult(msgspec.Struct, frozen=True):
    """`admitted`: groups whose gang may start; `more`: started groups of which further pods may; `assignments`: all of those
    pods; `evict`: groups to evict; `released`: a reservation was dropped, so all may be tried again; `wake`: when the next
    group's back-off or wait ends, epoch seconds."""

    memory: CycleMemory
    assignments: tuple[Assignment, ...] = ()
    admitted: tuple[Key, ...] = ()
    more: tuple[Key, ...] = ()
    evict: tuple[Key, ...] = ()
    released: bool = False
    wake: float | None = None


def run_cycle(snapshot: Snapshot, memory: CycleMemory, settings: AdmissionSettings, now: float) -> CycleResult:
    """Decide which pending groups are admitted. `now`: epoch seconds."""
    return _Cycle(snapshot, memory, settings, now).run()


def place_new_pods(snapshot: Snapshot, memory: CycleMemory, group: PendingGroup) -> Placement | None:
    """Nodes for pods that are about to be created, when no pending group could be admitted before them; else None."""
    if memory.draining or snapshot.unassigned or _goes_behind_others(snapshot, memory, group):
        return None
    capacity = snapshot.capacity.copy()
    usage = QueueUsage(snapshot.tree, snapshot.used, capacity.total)
    check = FeasibilityCheck(capacity, snapshot.assumed.copy(), usage)
    reservation = memory.reservation
    free = capacity.free if reservation is None else Unreserved(capacity.free, reservation)
    found = check.check(group, free)
    return found if isinstance(found, Placement) and not found.pinned else None


def _goes_behind_others(snapshot: Snapshot, memory: CycleMemory, group: PendingGroup) -> bool:
    """Whether a group waits that may be admissible now, or that may become so in the same queue."""
    queue = snapshot.tree.queues.get(group.queue)
    for each in snapshot.pending:
        if each.key in snapshot.ungating:
            continue
        known = memory.inadmissible.get(each.key)
        permanent = known is not None and known.permanent and queue is not None and not queue.fifo
        if not is_tried(memory.tried, each, snapshot.version) or (each.queue == group.queue and not permanent):
            return True
    return queue is None


class _Cycle:
    """The working state of one cycle: copies of what the snapshot holds."""

    def __init__(self, snapshot: Snapshot, memory: CycleMemory, settings: AdmissionSettings, now: float) -> None:
        self._snapshot = snapshot
        self._settings = settings
        self._now = now
        self._waiting = {each.key for each in snapshot.pending} - snapshot.ungating
        self._tried = {key: known for key, known in memory.tried.items() if key in self._waiting}
        self._inadmissible = {key: why for key, why in memory.inadmissible.items() if key in self._waiting}
        self._beyond = {key: why for key, why in memory.beyond.items() if key in self._waiting}
        self._reservation = memory.reservation
        self._eviction = memory.eviction if self._is_evicting(memory.eviction) else None
        self._draining = False
        self._capacity = snapshot.capacity.copy()
        self._usage = QueueUsage(snapshot.tree, snapshot.used, self._capacity.total)
        assumed = snapshot.assumed.copy()
        self._check = FeasibilityCheck(self._capacity, assumed, self._usage, snapshot.unschedulable)
        self._blocked: dict[str, Key] = {}  # queue whose groups wait behind an overdue or first one -> that one
        self._assignments: list[Assignment] = []
        self._admitted: list[Key] = []
        self._more: list[Key] = []
        self._wakes: list[float] = []

    def run(self) -> CycleResult:
        first = self._eviction.key if self._eviction else None
        order = FairSharingOrder(list(self._ready()), self._usage, first)
        heads: dict[str, PendingGroup] = {}  # the first of each queue that may become admissible
        for group in order:
            found = self._feasibility(group)
            if isinstance(found, Placement):
                self._admit(group, found)
                order.usage_changed()
                continue
            self._note(group, found)
            if found is not None:
                self._block_behind(group, found)
                if found.lacks_nodes or found.lacks_quota:
                    heads.setdefault(group.queue, group)
        evict, claimant = self._evict_for(heads.values())
        released = self._update_reservation(heads.values(), claimant)
        return CycleResult(
            memory=CycleMemory(
                self._inadmissible, self._tried, self._reservation, self._eviction, self._draining, self._beyond
            ),
            assignments=tuple(self._assignments),
            admitted=tuple(self._admitted),
            more=tuple(self._more),
            evict=evict,
            released=released,
            wake=min(self._wakes, default=None),
        )

    def _ready(self) -> Iterator[PendingGroup]:
        """Groups to try: complete, and not in back-off."""
        for group in self._snapshot.pending:
            if group.key in self._snapshot.ungating:
                continue
            again = (group.bind_timeout_at or 0.0) + backoff(group.bind_timeouts)
            if group.incomplete is not None:
                self._note(group, group.incomplete)
            elif again > self._now and not group.started:
                self._wakes.append(again)
                times = "once" if group.bind_timeouts == 1 else f"{group.bind_timeouts} times"
                message = f"not bound in time ({times} so far); tried again at {rfc3339(again)}"
                self._note(group, Inadmissible(NOT_BOUND_IN_TIME, group.bind_timeout_message or message))
            else:
                known = self._inadmissible.get(group.key)
                if known is not None and known.reason == NOT_BOUND_IN_TIME:
                    del self._tried[group.key], self._inadmissible[group.key]
                yield group

    def _feasibility(self, group: PendingGroup) -> Placement | Inadmissible | None:
        """Try the group. None: it was tried before and could not be admitted, without a recorded reason."""
        if is_tried(self._tried, group, self._snapshot.version):
            return self._inadmissible.get(group.key)
        limiting = self._snapshot.tree.limiting(group.queue)
        before = next((self._blocked[queue.name] for queue in limiting if queue.name in self._blocked), None)
        if before is not None and not group.started:
            return Inadmissible(NOT_ENOUGH_RESOURCES, f"waits behind {before} in queue {group.queue}")
        return self._check.check(group, self._free_for(group)) if group.gang else Placement((), 0, 0)

    def _free_for(self, group: PendingGroup) -> Free:
        reservation, free = self._reservation, self._capacity.free
        exempt = reservation is None or reservation.key == group.key or group.started
        return free if reservation is None or exempt else Unreserved(free, reservation)

    def _admit(self, group: PendingGroup, placement: Placement) -> None:
        for pod, node in _assigned(group.pods, placement):
            self._assignments.append(Assignment(pod, node, placement.pinned))
        self._check.assume(group, placement)
        more = self._admit_beyond_minimum(group)
        if group.gang:
            self._admitted.append(group.key)
        elif more:
            self._more.append(group.key)
        if group.gang or more:
            self._inadmissible.pop(group.key, None)
            self._tried.pop(group.key, None)
            if self._reservation is not None and self._reservation.key == group.key:
                self._reservation = None
        else:
            self._note(group, None)

    def _admit_beyond_minimum(self, group: PendingGroup) -> int:
        """Pods beyond the minimum, one by one, as long as they fit."""
        admitted = 0
        self._beyond.pop(group.key, None)
        for pod in group.beyond_minimum:
            single = msgspec.structs.replace(
                group, gang=((pod.requirements, 1),), pods=(pod,), beyond_minimum=(), started=False
            )
            found = self._check.check(single, self._free_for(single))
            if isinstance(found, Inadmissible):
                self._beyond[group.key] = found
                break
            self._assignments.append(Assignment(pod, found.placed[0][1], found.pinned))
            self._check.assume(single, found)
            admitted += 1
        return admitted

    def _block_behind(self, group: PendingGroup, why: Inadmissible) -> None:
        """Block the groups that must not be admitted before this inadmissible group."""
        queue = self._snapshot.tree.queues.get(group.queue)
        overdue = self._now - group.created >= self._settings.reserve_after
        evicted_for = self._eviction is not None and self._eviction.key == group.key
        if queue is not None and queue.fifo:
            self._blocked.setdefault(queue.name, group.key)
        elif overdue and why.awaits_binding:
            self._blocked.setdefault(ROOT_QUEUE, group.key)
            self._draining = True
        elif why.lacks_quota and (overdue or evicted_for):
            self._blocked.setdefault(why.queue, group.key)

    def _note(self, group: PendingGroup, why: Inadmissible | None) -> None:
        self._tried[group.key] = self._snapshot.version, group
        if why is not None:
            self._inadmissible[group.key] = why

    def _is_evicting(self, eviction: Eviction | None) -> bool:
        return eviction is not None and eviction.key in self._waiting and self._now < eviction.until

    def _evict_for(self, heads: Iterable[PendingGroup]) -> tuple[tuple[Key, ...], PendingGroup | None]:
        """Groups to evict for the first group that may reclaim. No others are evicted until that group is admitted."""
        if not self._settings.reclaim:
            return (), None
        if self._eviction is not None and self._eviction.key not in self._admitted:
            self._wakes.append(self._eviction.until)
            return (), None
        for group in heads:
            evict = groups_to_evict(group, self._snapshot.evictable, self._capacity, self._usage, self._free_for(group))
            if evict:
                self._eviction = Eviction(group.key, self._now)
                return evict, group
        return (), None

    def _update_reservation(self, heads: Iterable[PendingGroup], claimant: PendingGroup | None) -> bool:
        """Reserve nodes for the first group that lacks them, after a wait or when others are evicted for it. Whether an
        earlier reservation was dropped."""
        kept, capacity = self._reservation, self._capacity
        waiting = self._waiting.difference(self._admitted)
        dropped = kept is not None and (kept.key not in waiting or kept.generation != capacity.generation)
        if dropped:
            self._reservation = None
        if claimant is not None and capacity.known and self._reservation is None:
            self._reservation = reserve(claimant, capacity)
        head = next((group for group in heads if self._inadmissible[group.key].lacks_nodes), None)
        if head is not None:
            due = head.created + self._settings.reserve_after
            if self._now < due:
                self._wakes.append(due)
            elif self._reservation is None:
                self._reservation = reserve(head, capacity)
        return dropped


def _assigned(pods: tuple[PodInfo, ...], placement: Placement) -> Iterator[tuple[PodInfo, str]]:
    """Each pod with a node that was found for its requirements."""
    nodes: dict[object, list[str]] = {}
    for requirements, node, count in placement.placed:
        nodes.setdefault(requirements, []).extend([node] * count)
    used: Counter[object] = Counter()
    for pod in pods:
        yield pod, nodes[pod.requirements][used[pod.requirements]]
        used[pod.requirements] += 1
