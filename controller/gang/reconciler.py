"""The gang controller of the backends `gate` and `native`: scheduling cycles, and the status and gates of each PodGroup."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from controller.cluster.apply import Applier
from controller.decision import Decision
from controller.gang.admission import GateAdmission
from controller.gang.cache.pending_group import Inadmissible
from controller.gang.cache.pod import PodInfo
from controller.gang.cache.pod_group import PodGroupInfo
from controller.gang.podgroup import bind_timeout
from controller.gang.podgroup.decide import GroupSnapshot, decide, wanted_status
from controller.gang.podgroup.status_throttle import StatusThrottle
from controller.gang.routes import CYCLE
from shared.key import Key
from shared.kinds import PODGROUP
from shared.kube.cache.cache import Cache
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
CYCLE_SECONDS: Final = 0.05  # between two cycles, at least
CYCLE_REST: Final = 4.0  # and this many times the duration of the last one: other controllers need the CPU too


class GangReconciler:
    """Reconciles two kinds of keys: CYCLE, and PodGroups."""

    def __init__(
        self, admission: GateAdmission, groups: Cache, pods: Cache, applier: Applier, wake: Callable[[Key, bool], None]
    ) -> None:
        self._admission = admission
        self._cache = admission.cache
        self._groups = groups
        self._pods = pods
        self._applier = applier
        self._wake = wake
        self._next_cycle = 0.0
        self._reported: dict[Key, Inadmissible] = {}
        self._evicting: dict[Key, str] = {}
        self._throttle = StatusThrottle()

    async def reconcile(self, key: Key) -> float | None:
        if key == CYCLE:
            return self._run_cycle()
        group, body = self._cache.groups.get(key), self._groups.get(*key)
        if group is None or body is None or group.terminating:
            self._throttle.forget(key)
            self._reported.pop(key, None)
            self._evicting.pop(key, None)
            return None
        return await self._reconcile_group(group, body)

    # --- cycles -------------------------------------------------------------------------------------------------------

    def _run_cycle(self) -> float | None:
        started = time.monotonic()
        if started < self._next_cycle:
            return self._next_cycle - started
        version, waited = self._cache.version, self._admission.memory.awaits_binding
        result = self._admission.run_cycle()
        taken = time.monotonic() - started
        self._next_cycle = time.monotonic() + max(CYCLE_SECONDS, CYCLE_REST * taken)
        for key in (*result.admitted, *result.more):
            self._wake(key, True)
        for key in result.evict:
            self._evicting[key] = "its queue uses more than it deserves, and a group of another queue needs the room"
            self._wake(key, True)
        if result.memory.awaits_binding != waited:  # it decides how long these groups may wait, see _bind_limit
            for key in self._cache.unschedulable_groups():
                self._wake(key, False)
        self._wake_inadmissible({**result.memory.beyond, **result.memory.inadmissible})
        if result.admitted or result.evict:
            counts = {
                "admitted": len(result.admitted),
                "evicted": len(result.evict),
                "waiting": len(self._cache.waiting),
            }
            LOG.info("scheduling cycle", extra={**counts, "seconds": round(taken, 4)})
        if self._cache.version != version:  # bookings have expired or a reservation was dropped: others may fit now
            return CYCLE_SECONDS
        return None if result.wake is None else max(CYCLE_SECONDS, result.wake - self._admission.clock())

    def _wake_inadmissible(self, inadmissible: Mapping[Key, Inadmissible]) -> None:
        for key, why in inadmissible.items():
            if self._reported.get(key) != why:
                self._reported[key] = why
                self._wake(key, False)
        for key in [key for key in self._reported if key not in inadmissible]:
            del self._reported[key]

    # --- one group ----------------------------------------------------------------------------------------------------

    async def _reconcile_group(self, group: PodGroupInfo, body: Body) -> float | None:
        now = self._admission.clock()
        seen = self._observe(group)
        wanted = wanted_status(seen, now)
        decision = decide(seen, wanted, self._throttle.pause(group, seen.counts, wanted, now), now)
        if decision.actions or decision.cleanup:
            await self._applier.apply(PODGROUP, body, decision)
            self._throttle.wrote(group.key, now)
        return self._next_look(group.key, decision, now)

    def _observe(self, group: PodGroupInfo) -> GroupSnapshot:
        ungating = self._cache.ungating.get(group.key, {})
        pods = self._cache.pods_of(group)
        return GroupSnapshot(
            group=group,
            counts=self._cache.counts(group.key),
            pods=pods,
            inadmissible=self._admission.memory.inadmissible.get(group.key),
            ungating=tuple(
                (each, stored) for each in ungating.values() if (stored := self._pods.get(*each.pod.key)) is not None
            ),
            evict_because=self._evicting.pop(group.key, ""),
            bind_timeout=self._bind_limit(group.key, pods),
            beyond=self._admission.memory.beyond.get(group.key),
        )

    def _next_look(self, key: Key, decision: Decision, now: float) -> float | None:
        """Seconds until the group must be reconciled again, by the cache as it is now, own writes included."""
        group = self._cache.groups.get(key)
        limit = self._bind_limit(key, self._cache.pods_of(group)) if group else 0.0
        due = bind_timeout.deadline(group, self._cache.counts(key), limit) if group else None
        waits = [decision.requeue_after] if decision.requeue_after is not None else []
        waits += [max(0.0, due - now)] if due is not None else []
        return min(waits, default=None)

    def _bind_limit(self, key: Key, pods: Iterable[PodInfo]) -> float:
        limit = self._admission.settings.bind_timeout
        if not self._admission.memory.awaits_binding or not self._cache.counts(key).unschedulable:
            return limit
        said = next((pod.unschedulable for pod in pods if pod.unschedulable), "")
        return bind_timeout.while_others_wait(said, limit)
