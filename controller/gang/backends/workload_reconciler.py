"""Mirrors each PodGroup of scheduling.volcano.sh in scheduling.k8s.io (backend `native`)."""

import logging
from typing import Final

import msgspec

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.gang.backends.native import NativeBackend
from controller.gang.backends.workload import decide, group_kind, workload_kind
from controller.runtime.controller import Controller, Route
from controller.runtime.routes import itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import PODGROUP
from shared.kube.cache.cache import Cache

LOG: Final = logging.getLogger(__name__)
AGAIN_SECONDS: Final = 5.0  # after a refusal: an object in the way may be being deleted


class NativeReconciler:
    def __init__(self, version: str, groups: Cache, workloads: Cache, natives: Cache, applier: Applier) -> None:
        self._version = version
        self._groups = groups
        self._workloads = workloads
        self._natives = natives
        self._applier = applier
        self._reported: dict[Key, tuple[str, str]] = {}

    async def reconcile(self, key: Key) -> float | None:
        group = self._groups.get(*key)
        if group is None:
            self._reported.pop(key, None)
            return None
        decision = decide(self._version, group, self._workloads.get(*key), self._natives.get(*key))
        notes = group["metadata"]["uid"], "; ".join(note.message for note in decision.notes)
        if self._reported.get(key) == notes:
            decision = msgspec.structs.replace(decision, notes=())
        self._reported[key] = notes
        outcome = await self._applier.apply(PODGROUP, group, decision)
        for (kind, name), refusal in outcome.refusals.items():
            extra = {"kind": kind.resource, "namespace": key.namespace, "name_": name, "error": refusal.message}
            LOG.warning("the API server refused an object of scheduling.k8s.io", extra=extra)
        return AGAIN_SECONDS if outcome.refusals else None


def build(context: ControllerContext) -> Controller:
    if not isinstance(context.gang, NativeBackend):
        raise TypeError("Workloads are kept for the native backend only")
    version, caches = context.gang.version, context.caches
    groups = caches.want(PODGROUP)
    workloads, natives = caches.want(workload_kind(version)), caches.want(group_kind(version))
    return Controller(
        name="native",
        queue=WorkQueue("native"),
        reconciler=NativeReconciler(version, groups, workloads, natives, context.applier),
        routes=(
            Route(groups, itself, own_writes=False),
            Route(workloads, itself, own_writes=False),
            Route(natives, itself, own_writes=False),
        ),
        primary=groups,
    )
