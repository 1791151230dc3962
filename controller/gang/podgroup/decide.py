"""What to do about one PodGroup: its status, its gates, or the deletion of its pods. Functions of a snapshot."""

import msgspec

from controller.decision import Action, Decision, Delete, Note, Patch
from controller.gang.cache.pending_group import NOT_BOUND_IN_TIME, Inadmissible
from controller.gang.cache.pod import PodInfo, Ungating
from controller.gang.cache.pod_counts import GroupPodCounts
from controller.gang.cache.pod_group import PodGroupInfo
from controller.gang.podgroup import bind_timeout, phase
from controller.gang.podgroup.ungate import ungate_patch
from shared.codec.plural import number_of, verb
from shared.kinds import POD, PODGROUP
from shared.model.phases import PodGroupPhase
from shared.model.types import Body


class GroupSnapshot(msgspec.Struct, frozen=True):
    """`ungating`: admitted pods that still have the gate, with the pod as stored; `evict_because`: why all of its pods are to
    be deleted, "" when they are not; `bind_timeout`: seconds; `beyond`: why pods beyond the minimum wait."""

    group: PodGroupInfo
    counts: GroupPodCounts
    pods: tuple[PodInfo, ...] = ()
    inadmissible: Inadmissible | None = None
    ungating: tuple[tuple[Ungating, Body], ...] = ()
    evict_because: str = ""
    bind_timeout: float = 300.0
    beyond: Inadmissible | None = None

    @property
    def unschedulable(self) -> str:
        """The scheduler's message about a pod that it cannot bind."""
        if not self.counts.unschedulable:
            return ""
        return next((each.unschedulable for each in self.pods if each.unschedulable), "")


def wanted_status(seen: GroupSnapshot, now: float) -> Body:
    """`now`: epoch seconds."""
    admitted = bool(seen.ungating) and seen.group.phase not in (PodGroupPhase.RUNNING, PodGroupPhase.COMPLETED)
    observed = phase.GroupObservation(
        seen.group, seen.counts, seen.inadmissible, admitted, seen.unschedulable, seen.beyond
    )
    return phase.status(observed, now)


def decide(seen: GroupSnapshot, wanted: Body, pause: float | None, now: float) -> Decision:
    """`wanted`: see wanted_status; `pause`: seconds until it is to be written, None when it need not be."""
    return _evict(seen) or _time_out(seen, now) or _admit(seen, wanted, pause)


def _evict(seen: GroupSnapshot) -> Decision | None:
    pods = bind_timeout.pods_to_delete(seen.pods) if seen.evict_because else ()
    if not pods:
        return None
    note = Note(
        "Evicted",
        f"{number_of(len(pods), 'pod')} {verb(len(pods), 'is deleted', 'are deleted together')}: {seen.evict_because}",
        "Warning",
    )
    return Decision(actions=_deletions(pods), notes=(note,))


def _time_out(seen: GroupSnapshot, now: float) -> Decision | None:
    due = bind_timeout.deadline(seen.group, seen.counts, seen.bind_timeout)
    pods = bind_timeout.pods_to_delete(seen.pods) if due is not None and now >= due else ()
    if not pods:
        return None
    patch = bind_timeout.pending_again(seen.group, seen.counts, seen.unschedulable, seen.bind_timeout, now)
    note = Note(NOT_BOUND_IN_TIME, patch["status"]["conditions"][-1]["message"], "Warning")
    return Decision(actions=(_patch(seen.group, patch),), cleanup=_deletions(pods), notes=(note,))


def _admit(seen: GroupSnapshot, wanted: Body, pause: float | None) -> Decision:
    """The status, and then the gates: a group whose pods start must not be Pending."""
    admitted, differs = bool(seen.ungating), phase.differs(seen.group.status, wanted)
    write = differs if admitted else pause is not None and pause <= 0
    actions = (_patch(seen.group, [{"op": "add", "path": "/status", "value": wanted}]),) if write else ()
    patches = tuple(ungate_patch(ungating, stored) for ungating, stored in seen.ungating)
    return Decision(actions=actions, cleanup=patches, requeue_after=None if admitted or not pause else pause)


def _deletions(pods: tuple[PodInfo, ...]) -> tuple[Action, ...]:
    return tuple(Delete(POD, each.key.namespace, each.key.name, each.uid) for each in pods)


def _patch(group: PodGroupInfo, patch: Body | list[Body]) -> Patch:
    return Patch(PODGROUP, group.key.namespace, group.key.name, patch, uid=group.uid)
