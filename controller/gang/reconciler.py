"""The admission loop of the `gate` backend: rounds over everybody who waits, and the phase of every PodGroup."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.decision import Action, Decision, Delete, Note, Patch
from controller.gang.admission import GateAdmission
from controller.gang.backends.native import NativeBackend
from controller.gang.cache.group import Group
from controller.gang.cache.pending_group import Refusal
from controller.gang.podgroup import bind_timeout, phase
from controller.gang.podgroup.status_throttle import Pace
from controller.gang.podgroup.ungate import lift
from controller.runtime.controller import Controller, Route
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import NODE, POD, PODGROUP, PRIORITYCLASS, QUEUE
from shared.kube.cache.cache import Cache, strip
from shared.model.phases import PodGroupPhase
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
ADMISSION: Final = Key("", "admission")
ROUND_SECONDS: Final = 0.05  # between two rounds, at least
ROUND_REST: Final = 4.0  # and this many times what the last one took: other controllers need the CPU too


def only_what_counts(node: Body) -> Body:
    """Nodes without their images and addresses: heartbeats of large ones would fill the cache."""
    status = strip(node).get("status") or {}
    return {**node, "status": {key: status[key] for key in ("allocatable", "capacity") if key in status}}


class Watcher:
    """Changes in the caches -> the floor's books -> the keys to work on."""

    def __init__(self, gang: GateAdmission) -> None:
        self._floor = gang.floor

    def pod(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return self._keys(self._floor.pod(old, new))

    def group(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return self._keys(self._floor.group(old, new))

    def node(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return (ADMISSION,) if self._floor.node(old, new) else ()

    def queue(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return (ADMISSION,) if self._floor.queue(old, new) else ()

    def priority_class(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        self._floor.priority_class(old, new)
        return (ADMISSION,) if self._floor.waiting else ()

    def _keys(self, refs: Iterable[Key]) -> Iterable[Key]:
        found = [ref for ref in refs if ref in self._floor.groups]
        return [*found, ADMISSION] if self._floor.waiting or self._floor.unplaced else found


class GangReconciler:
    def __init__(
        self, gang: GateAdmission, groups: Cache, pods: Cache, applier: Applier, wake: Callable[[Key, bool], None]
    ) -> None:
        self._gang = gang
        self._groups = groups
        self._pods = pods
        self._applier = applier
        self._wake = wake
        self._next_round = 0.0
        self._told: dict[Key, Refusal] = {}
        self._evicting: dict[Key, str] = {}
        self._pace = Pace()

    async def reconcile(self, key: Key) -> float | None:
        if key == ADMISSION:
            return self._round()
        ref = key
        group, body = self._gang.floor.groups.get(ref), self._groups.get(*key)
        if group is None or body is None or group.terminating:
            self._forget(ref)
            return None
        return await self._settle(group, body)

    # --- rounds -------------------------------------------------------------------------------------------------------

    def _round(self) -> float | None:
        started = time.monotonic()
        early = self._next_round - started
        if early > 0:
            return early
        floor, admission = self._gang.floor, self._gang.admission
        now = self._gang.clock()
        version = floor.version
        done = admission.round(now)
        taken = time.monotonic() - started
        self._next_round = time.monotonic() + max(ROUND_SECONDS, ROUND_REST * taken)
        for ref in (*done.admitted, *done.more):
            self._wake(ref, True)
        for ref in done.evict:
            self._evicting[ref] = "its queue uses more than it deserves, and a group of another queue needs the room"
            self._wake(ref, True)
        self._tell(admission.refusals)
        if done.admitted or done.evict:
            counts = {"admitted": len(done.admitted), "evicted": len(done.evict), "waiting": len(floor.waiting)}
            LOG.info("admission round", extra={**counts, "seconds": round(taken, 4)})
        if floor.version != version:  # what was kept for somebody is free again
            return ROUND_SECONDS
        return None if done.wake is None else max(ROUND_SECONDS, done.wake - now)

    def _tell(self, refusals: dict[Key, Refusal]) -> None:
        for ref, refusal in refusals.items():
            if self._told.get(ref) != refusal:
                self._told[ref] = refusal
                self._wake(ref, False)
        for ref in [ref for ref in self._told if ref not in refusals]:
            del self._told[ref]

    # --- one group ----------------------------------------------------------------------------------------------------

    async def _settle(self, group: Group, body: Body) -> float | None:
        now = self._gang.clock()
        decision = self._removal(group, now) or self._standing(group, now)
        if decision.actions or decision.cleanup:
            await self._applier.apply(PODGROUP, body, decision)
            self._pace.wrote(group.ref, now)
        return self._again(group.ref, decision, now)

    def _again(self, ref: Key, decision: Decision, now: float) -> float | None:
        """By what the books say now, own writes included."""
        group = self._gang.floor.groups.get(ref)
        due = bind_timeout.due(group, self._gang.floor.tally(ref), self._gang.rules.bind_timeout) if group else None
        waits = [decision.requeue_after] if decision.requeue_after is not None else []
        waits += [max(0.0, due - now)] if due is not None else []
        return min(waits, default=None)

    def _removal(self, group: Group, now: float) -> Decision | None:
        """All its pods go: they were not bound in time, or must give way."""
        floor, limit = self._gang.floor, self._gang.rules.bind_timeout
        tally = floor.tally(group.ref)
        due = bind_timeout.due(group, tally, limit)
        why = self._evicting.pop(group.ref, "")
        if not why and (due is None or now < due):
            return None
        pods = bind_timeout.to_delete(floor.members(group.ref))
        if not pods:
            return None
        deletes = tuple(Delete(POD, each.ref.namespace, each.ref.name, each.uid) for each in pods)
        if why:
            note = Note("Evicted", f"{len(pods)} pods are deleted together: {why}", "Warning")
            return Decision(actions=deletes, notes=(note,))
        patch = bind_timeout.put_back(group, tally, self._refused(group), limit, now)
        note = Note(bind_timeout.REASON, patch["status"]["conditions"][-1]["message"], "Warning")
        return Decision(actions=(self._patch(group, patch),), cleanup=deletes, notes=(note,))

    def _standing(self, group: Group, now: float) -> Decision:
        """Its status, and its gates if it was admitted."""
        floor = self._gang.floor
        ref, granted = group.ref, floor.granted.get(group.ref, {})
        sight = phase.Sight(
            group,
            floor.tally(ref),
            self._gang.admission.refusals.get(ref),
            bool(granted) and group.phase not in (PodGroupPhase.RUNNING, PodGroupPhase.COMPLETED),
            self._refused(group),
        )
        wanted = phase.status(sight, now)
        pause = 0.0 if sight.granted else self._pace.pause(group, sight.tally, wanted, now)
        write = pause is not None and pause <= 0 and (phase.differs(group.status, wanted) or not sight.granted)
        actions: tuple[Action, ...] = ()
        if write:
            actions = (self._patch(group, [{"op": "add", "path": "/status", "value": wanted}]),)
        pods = ((grant, self._pods.get(*grant.member.ref)) for grant in granted.values())
        lifts = tuple(lift(grant, pod) for grant, pod in pods if pod is not None)
        return Decision(actions=actions, cleanup=lifts, requeue_after=pause if pause else None)

    def _refused(self, group: Group) -> str:
        if not self._gang.floor.tally(group.ref).refused:
            return ""
        return next((each.refused for each in self._gang.floor.members(group.ref) if each.refused), "")

    @staticmethod
    def _patch(group: Group, patch: Body | list[Body]) -> Patch:
        return Patch(PODGROUP, group.ref.namespace, group.ref.name, patch, uid=group.uid)

    def _forget(self, ref: Key) -> None:
        self._pace.forget(ref)
        self._told.pop(ref, None)
        self._evicting.pop(ref, None)


def build(context: ControllerContext) -> Controller:
    gang, queue = context.admission, WorkQueue("gang")
    if not isinstance(gang, GateAdmission):
        raise TypeError("the gang controller needs the admission of the backends gate and native")
    native = isinstance(context.gang, NativeBackend)  # then kube-scheduler judges by room, and whole gangs only
    groups, pods = context.caches.want(PODGROUP), context.caches.want(POD)
    watcher = Watcher(gang)

    def wake(key: Key, urgent: bool) -> None:
        queue.add(key, urgent=urgent)

    return Controller(
        name="gang",
        queue=queue,
        reconciler=GangReconciler(gang, groups, pods, context.applier, wake),
        routes=(
            *(() if native else (Route(context.caches.want(NODE, transform=only_what_counts), watcher.node),)),
            Route(context.caches.want(QUEUE), watcher.queue),
            Route(context.caches.want(PRIORITYCLASS), watcher.priority_class),
            Route(groups, watcher.group, own_writes=False),
            Route(pods, watcher.pod, own_writes=False),
        ),
        primary=groups,
    )
