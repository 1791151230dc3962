"""Pods, PodGroups, nodes and queues as admission needs them, updated incrementally.

Pods, groups, nodes and queues come from separate watches, in any order. Counts therefore do not depend on objects that
have not been observed yet: a pod counts for its node before the node is known, and for its queue before its PodGroup
is.
"""

from collections.abc import Collection, Iterator

from controller.gang.cache.amounts import Amounts, added, pods_that_fit
from controller.gang.cache.assumed import AssumedPods, BookedPod, ChangedRequests, HeldPlaces
from controller.gang.cache.capacity import ClusterCapacity
from controller.gang.cache.node import node_info_of
from controller.gang.cache.pending_group import PendingGroup, is_complete, pending_group
from controller.gang.cache.pod import PodInfo, Ungating, pod_info_of
from controller.gang.cache.pod_counts import GroupPodCounts, summed_counts
from controller.gang.cache.pod_group import PodGroupInfo, pod_group_info_of
from controller.gang.cache.pod_requirements import PodRequirements
from controller.gang.cache.queue_tree import QueueInfo, QueueTree, queue_info_of
from controller.gang.cache.queue_usage import UsageOfGroups
from controller.gang.cache.snapshot import RunningGroup, Snapshot, running_group
from shared.key import Key
from shared.model.types import Body
from shared.names import DEFAULT_QUEUE


class GangCache:
    """`version` grows when something changes that may make an inadmissible group admissible."""

    def __init__(self) -> None:
        self.capacity = ClusterCapacity()
        self.assumed = AssumedPods(self.capacity)
        self.held = HeldPlaces(self.assumed)
        self.changed_requests = ChangedRequests()
        self.groups: dict[Key, PodGroupInfo] = {}
        self.waiting: set[Key] = set()  # groups with gated pods
        self.unassigned: set[str] = set()  # uids of pods without gate for which no node is assumed
        self.ungating: dict[Key, dict[str, Ungating]] = {}
        self.version = 0
        self._pods: dict[str, PodInfo] = {}
        self._unschedulable: dict[str, PodInfo] = {}  # admitted pods that the scheduler cannot bind, by uid
        self._pods_of: dict[Key, dict[str, PodInfo]] = {}
        self._counts: dict[Key, dict[int | None, GroupPodCounts]] = {}
        self._pending: dict[Key, PendingGroup] = {}
        self._queues: dict[str, QueueInfo] = {}
        self._tree: QueueTree | None = None
        self._classes: dict[str, int] = {}
        self._usage = UsageOfGroups()
        self._to_account: set[Key] = set()

    # --- changes ------------------------------------------------------------------------------------------------------

    def update_pod(self, old: Body | None, new: Body | None) -> tuple[Key, ...]:
        """A pod was added, changed or deleted. Returns its group, if it has one."""
        uid = str((new or old or {})["metadata"].get("uid", ""))
        before, after = self._pods.get(uid), pod_info_of(new) if new else None
        if before == after:
            return ()
        self._note_unschedulable(uid, after)
        if before is not None:
            self._remove(before)
        if after is not None:
            self._add(after)
        self._update_assumed(uid, before, after)
        if before is not None and before.occupies_node and not (after and after.occupies_node):
            if after is None or after.terminating or after.phase != "Succeeded":
                self._hold_place(before)
            self.version += 1
        elif before is not None and before.phase == "Failed" and (after is None or after.terminating):
            self.held.extend(before.key)
        group = after.group if after else before.group if before else None
        return (group,) if group else ()

    def update_group(self, old: Body | None, new: Body | None) -> tuple[Key, ...]:
        after = pod_group_info_of(new) if new else None
        key = after.key if after else pod_group_info_of(old).key if old else None
        if key is None or self.groups.get(key) == after:
            return ()
        if after is None:
            self.groups.pop(key, None)
            self.version += 1
        else:
            self.groups[key] = after
        self._group_changed(key)
        self._withdraw_incomplete(key)
        return (key,)

    def update_node(self, old: Body | None, new: Body | None) -> bool:
        """Returns whether the free capacity changed."""
        body = new or old or {}
        changed = self.capacity.set_node(body["metadata"]["name"], node_info_of(new) if new else None)
        self.version += changed
        return changed

    def update_queue(self, old: Body | None, new: Body | None) -> bool:
        """Returns whether the limits of its groups changed."""
        name = (new or old or {})["metadata"]["name"]
        after = queue_info_of(new) if new else None
        if self._queues.get(name) == after:
            return False
        if after is None:
            del self._queues[name]
        else:
            self._queues[name] = after
        self._tree = None
        self.version += 1
        return True

    def update_limit_range(self, old: Body | None, new: Body | None) -> None:
        self.changed_requests.update(old, new)

    def update_priority_class(self, old: Body | None, new: Body | None) -> None:
        name = (new or old or {})["metadata"]["name"]
        self._classes[name] = int((new or {}).get("value") or 0)
        self._pending.clear()

    def book(self, pod: Key, booked: BookedPod) -> None:
        """Assume a pod that is about to be created without gate."""
        self.assumed.book(pod, booked)
        self._to_account.add(booked.group)

    def not_created(self, pod: Key, at: float) -> None:
        """See AssumedPods.not_created."""
        self._to_account.update(booked.group for booked in self.assumed.booked)
        refused = self.assumed.booking(pod)
        self.assumed.not_created(pod, at)
        if refused is not None and refused.at <= at:
            self.assumed.not_attempted(refused.group, at)
            self.version += 1

    def none_created(self, group: Key, at: float) -> None:
        """See AssumedPods.none_created."""
        self._to_account.add(group)
        self.assumed.none_created(group, at)

    def expire_bookings(self, now: float) -> None:
        self._to_account.update(booked.group for booked in self.assumed.booked)
        self.version += self.assumed.expire(now)

    def release_places(self, now: float) -> float | None:
        """Release the places of lost pods that nobody replaces. Returns when the next is due, epoch seconds."""
        released = self.held.release(now, self._is_short)
        self._to_account.update(released)
        self.version += len(released)
        return self.held.next_release

    def ungate(self, pod: PodInfo, node: str, *, pinned: bool) -> None:
        """Admit a gated pod. `node`: where it is assumed until it is bound; `pinned`: it may go there only."""
        if pod.group is not None:
            self.ungating.setdefault(pod.group, {})[pod.uid] = Ungating(pod, node if pinned else "")
            self.assumed.assume(pod, node, pinned=pinned)
            self._to_account.add(pod.group)

    def assign_unassigned(self) -> None:
        """Assume a node for pods that an earlier process or another client ungated."""
        for uid in list(self.unassigned):
            pod = self._pods.get(uid)
            node = self._node_with_room(pod.requirements) if pod else None
            if pod is not None and node is not None:
                self.assumed.assume(pod, node)
                self.unassigned.discard(uid)

    # --- queries ------------------------------------------------------------------------------------------------------

    def snapshot(self, *, with_evictable: bool = False) -> Snapshot:
        return Snapshot(
            pending=tuple(self.pending()),
            ungating=frozenset(self.ungating),
            capacity=self.capacity.copy(),
            assumed=self.assumed.totals.copy(),
            tree=self.tree,
            used=self.used(),
            evictable=tuple(self._evictable()) if with_evictable else (),
            unassigned=bool(self.unassigned),
            version=self.version,
            unschedulable=next((pod.key for pod in self._unschedulable.values()), None),
        )

    @property
    def tree(self) -> QueueTree:
        if self._tree is None:
            self._tree = QueueTree(self._queues.values())
        return self._tree

    def pods(self, group: Key) -> Collection[PodInfo]:
        """All pods that name the group, also those of an earlier group of its name."""
        return self._pods_of.get(group, {}).values()

    def pods_of(self, group: PodGroupInfo) -> tuple[PodInfo, ...]:
        return tuple(pod for pod in self.pods(group.key) if group.has(pod))

    def unschedulable_groups(self) -> set[Key]:
        """The groups of admitted pods that the scheduler cannot bind."""
        return {pod.group for pod in self._unschedulable.values() if pod.group is not None}

    def counts(self, key: Key) -> GroupPodCounts:
        """Of the group's own pods; of all that name it while it is not known."""
        group, counts = self.groups.get(key), self._counts.get(key, {})
        own = [part for version, part in counts.items() if group is None or group.includes(version)]
        return own[0] if len(own) == 1 else summed_counts(own)

    def pending(self) -> Iterator[PendingGroup]:
        """Every known group with gated pods that is not being deleted."""
        for key in self.waiting:
            group = self.groups.get(key)
            if group is not None and not group.terminating:
                known = self._pending.get(key)
                if known is None:
                    known = pending_group(group, self.pods(key), self.class_value(group.priority_class))
                    self._pending[key] = known
                yield known

    def class_value(self, name: str) -> int | None:
        return self._classes.get(name, 0) if name else None

    def used(self) -> dict[str, Amounts]:
        """What groups use, by queue: pods without gate, pods being ungated, and pods being created without gate."""
        booked: dict[Key, Amounts] = {}
        queues: dict[Key, str] = {}
        for each in self.assumed.booked if self._to_account else ():
            booked[each.group] = added(booked.get(each.group, {}), each.assumed.requirements.amounts)
            queues[each.group] = each.queue
        for key in self._to_account:
            queue = self._queue_of(key, queues.get(key, DEFAULT_QUEUE))
            self._usage.set(key, queue, added(self.requests(key), booked.get(key, {})))
        self._to_account.clear()
        return self._usage.by_queue()

    def requests(self, key: Key) -> Amounts:
        """The requests of a group's pods without gate, including those that are being ungated."""
        amounts = summed_counts(self._counts.get(key, {}).values()).requests
        for each in self.ungating.get(key, {}).values():
            amounts = added(amounts, each.pod.requirements.amounts)
        return amounts

    def _queue_of(self, key: Key, default: str) -> str:
        """The queue of a group; of its pods while the group itself is not known."""
        group = self.groups.get(key)
        return group.queue if group else next((pod.queue for pod in self.pods(key)), default)

    def _evictable(self) -> Iterator[RunningGroup]:
        for key, group in self.groups.items():
            pods, requests = self.pods(key), self.counts(key).requests
            queue = self.tree.queues.get(group.queue)
            if not any(requests.values()) or queue is None or not queue.reclaimable:
                continue
            if all(pod.evictable for pod in pods):
                yield running_group(group, pods, requests, self.class_value(group.priority_class))

    def _node_with_room(self, requirements: PodRequirements) -> str | None:
        eligible, free = self.capacity.eligible(requirements.constraints), self.capacity.free
        return next((name for name in eligible if pods_that_fit(free[name], requirements.requests)), None)

    # --- keeping count ------------------------------------------------------------------------------------------------

    def _add(self, pod: PodInfo) -> None:
        self._pods[pod.uid] = pod
        if pod.occupies_node:
            self.capacity.bind(pod.node, pod.requirements, 1, outside=pod.group is None)
        if pod.group is not None:
            self._pods_of.setdefault(pod.group, {})[pod.uid] = pod
            self._count(pod.group, pod, 1)

    def _remove(self, pod: PodInfo) -> None:
        del self._pods[pod.uid]
        if pod.occupies_node:
            self.capacity.bind(pod.node, pod.requirements, -1, outside=pod.group is None)
        if pod.group is not None:
            del self._pods_of[pod.group][pod.uid]
            self._count(pod.group, pod, -1)
            if not self._pods_of[pod.group]:
                del self._pods_of[pod.group], self._counts[pod.group]

    def _count(self, group: Key, pod: PodInfo, times: int) -> None:
        versions = self._counts.setdefault(group, {})
        counts = versions.setdefault(pod.group_version, GroupPodCounts())
        counts.count(pod, times)
        if not counts.pods:
            del versions[pod.group_version]
        self._group_changed(group)

    def _group_changed(self, key: Key) -> None:
        self._pending.pop(key, None)
        self._to_account.add(key)
        gated = any(counts.gated for counts in self._counts.get(key, {}).values())
        (self.waiting.add if gated else self.waiting.discard)(key)

    def _note_unschedulable(self, uid: str, pod: PodInfo | None) -> None:
        """A new one is a reason to try again, since groups that wait for pods to be bound name it."""
        if pod is None or not (pod.awaits_binding and pod.unschedulable):
            self._unschedulable.pop(uid, None)
        else:
            self.version += not self._unschedulable
            self._unschedulable[uid] = pod

    def _update_assumed(self, uid: str, before: PodInfo | None, after: PodInfo | None) -> None:
        """A node is assumed for each pod of a group that the scheduler is to bind, and for no other."""
        self.unassigned.discard(uid)
        if before is not None and before.group in self.ungating and not (after is not None and after.awaits_gang):
            if self.ungating[before.group].pop(uid, None) is not None and not (after and after.counts_for_minimum):
                self._withdraw_incomplete(before.group)
            if not self.ungating.get(before.group, True):
                del self.ungating[before.group]
        if after is not None and before is None:
            booked = self.assumed.created(after)
            if booked is not None:
                self._to_account.add(booked.group)
                self.changed_requests.compare(after, booked.assumed.requirements)
        if after is None or after.group is None or not after.awaits_binding:
            group = after.group if after is not None else None
            is_ungating = group is not None and uid in self.ungating.get(group, {})
            if not is_ungating and self.assumed.forget(uid):
                self.version += 1
        elif not self.assumed.has(uid):
            self.unassigned.add(uid)

    def _hold_place(self, pod: PodInfo) -> None:
        """Hold the place of a lost or failed pod for the one that replaces it under its name: otherwise another group
        could be admitted in between, and the pod's gang would run without its minimum. Whether a policy of the Job
        replaces a failed pod is not known here."""
        group = self.groups.get(pod.group) if pod.group is not None else None
        if group is not None and group.has(pod) and self._is_short(group.key):
            self.held.hold(pod, group.key, group.queue)
            self._to_account.add(group.key)

    def _is_short(self, key: Key) -> bool:
        """Whether part of a gang runs, without pods of its minimum. A failed pod may have to run again."""
        group = self.groups.get(key)
        if group is None or group.terminating:
            return False
        own = [pod for pod in self.pods_of(group) if pod.counts_for_minimum and pod.phase != "Failed"]
        return any(not pod.finished for pod in own) and not is_complete(group, own)

    def _withdraw_incomplete(self, key: Key) -> None:
        """Do not remove the gates of an admitted group when it is gone, or when pods of its minimum no longer exist."""
        ungating, group = self.ungating.get(key), self.groups.get(key)
        if ungating is None:
            return
        admitted = [pod for pod in self.pods(key) if pod.counts_for_minimum or pod.uid in ungating]
        if (
            group is not None
            and not group.terminating
            and is_complete(group, [pod for pod in admitted if group.has(pod)])
        ):
            return
        del self.ungating[key]
        for uid in ungating:
            self.assumed.forget(uid)
        self.version += 1
        self._group_changed(key)
