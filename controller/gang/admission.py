"""The admission state of this process, as the Job, gang and queue controllers use it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from controller.decision import Decision
from controller.gang.cache.amounts import Amounts
from controller.gang.cache.assumed import AssumedPod, BookedPod
from controller.gang.cache.cache import GangCache
from controller.gang.cache.pending_group import PendingGroup
from controller.gang.cache.pod_group import PodGroupInfo
from controller.gang.cache.pod_requirements import PodRequirements, requirements_of
from controller.gang.cycle.memory import CycleMemory
from controller.gang.cycle.scheduling_cycle import CycleResult, place_new_pods, run_cycle
from controller.gang.podgroup.new_pods import gated_pods, group_after, group_of_pods, with_admitted
from controller.gang.settings import AdmissionSettings
from controller.gang_api import Refused
from shared.key import Key
from shared.kinds import POD, PODGROUP
from shared.model.types import Body


class GateAdmission:
    """The cache and the memory of the last scheduling cycle. `clock`: epoch seconds."""

    def __init__(self, settings: AdmissionSettings, clock: Callable[[], float]) -> None:
        self.cache = GangCache()
        self.settings = settings
        self.clock = clock
        self.memory = CycleMemory()

    def run_cycle(self) -> CycleResult:
        """Run one scheduling cycle and record the admitted pods in the cache."""
        cache, now = self.cache, self.clock()
        cache.expire_bookings(now)
        due = cache.release_places(now)
        cache.assign_unassigned()
        snapshot = cache.snapshot(with_evictable=self.settings.reclaim)
        result = run_cycle(snapshot, self.memory, self.settings, now)
        for each in result.assignments:
            cache.ungate(each.pod, each.node, pinned=each.pinned)
        cache.version += result.released
        self.memory = result.memory
        wakes = [at for at in (result.wake, due, cache.assumed.next_expiry) if at is not None]
        return msgspec.structs.replace(result, wake=min(wakes, default=None))

    def usage(self, group: Key) -> Amounts | None:
        return self.cache.requests(group)

    def admit_new(self, decision: Decision, namespace: str, refusals: Refused) -> Decision:
        """Creates pods without gate where they fit and no group waits before them.

        Pods of a minimum above 1 always get the gate, unless kube-scheduler itself waits for all of them: the creation
        of any of them may be refused, and the others must not run without it. So do pods whose requests may change
        when they are stored.
        """
        self.free(namespace, refusals)
        pods = gated_pods(decision)
        key = group_of_pods(pods)
        group = group_after(decision, key, self.cache.groups) if key else None
        if group is None or group.terminating or (group.minimum > 1 and not self.settings.scheduler_starts_gangs):
            return decision
        if any(map(self.cache.changed_requests.may_change, pods)):
            return decision
        ungated = self._admitted(group, pods)
        return with_admitted(decision, group, ungated, self.clock()) if ungated else decision

    def free(self, namespace: str, refusals: Refused) -> None:
        for (kind, name), refusal in refusals.items():
            if kind is PODGROUP:
                self.cache.none_created(Key(namespace, name), refusal.at)
            elif kind is POD:
                self.cache.not_created(Key(namespace, name), refusal.at)

    def _admitted(self, group: PodGroupInfo, pods: Sequence[Body]) -> frozenset[str]:
        """Names of the pods that need no gate: all of them, or else as many as the minimum.

        An earlier attempt may still create a pod with other requirements, if the Job has changed since. Then the pod
        gets the gate, and the booking of that attempt stays.
        """
        wanted = {pod["metadata"]["name"]: requirements_of(pod) for pod in pods}
        assumed, now, namespace = self.cache.assumed, self.clock(), group.key.namespace
        known = {name: booking for name in wanted if (booking := assumed.booking(Key(namespace, name)))}
        booked = {
            name
            for name, booking in known.items()
            if (booking.group, booking.assumed.requirements) == (group.key, wanted[name])
        }
        for name in booked:
            assumed.attempted_again(Key(namespace, name), now)
        rest = {name: requirements for name, requirements in wanted.items() if name not in known}
        for part in (rest, dict(list(rest.items())[: max(1, group.minimum)])):
            if part and self._book(group, part):
                return frozenset({*booked, *part})
        return frozenset(booked)

    def _book(self, group: PodGroupInfo, pods: Mapping[str, PodRequirements]) -> bool:
        now = self.clock()
        pending = PendingGroup(group.key, group.queue, now, gang=tuple(Counter(pods.values()).items()))
        found = place_new_pods(self.cache.snapshot(), self.memory, pending)
        if found is None:
            return False
        nodes: dict[PodRequirements, list[str]] = {}
        for requirements, node, count in found.placed:
            nodes.setdefault(requirements, []).extend([node] * count)
        for name, requirements in pods.items():
            assumed = AssumedPod(requirements, nodes[requirements].pop())
            self.cache.book(Key(group.key.namespace, name), BookedPod(group.key, group.queue, assumed, now))
        return True
