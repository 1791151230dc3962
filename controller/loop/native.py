"""Keeps a Workload and a PodGroup of scheduling.k8s.io for every one of our PodGroups (backend `native`)."""

from typing import Any

from controller.decision import Decision
from controller.gang.backends.native import NativeBackend
from controller.gang.native import group_kind, wanted_actions, workload_kind
from controller.kube.apply import Applier
from controller.loop.controller import Controller, ControllerContext, Route
from controller.loop.queue import WorkQueue
from controller.loop.routes import its_controller, itself
from shared.kinds import PODGROUP
from shared.kube.cache import Cache
from shared.kube.store import Key

Body = dict[str, Any]


class NativeReconciler:
    def __init__(self, version: str, groups: Cache, workloads: Cache, natives: Cache, applier: Applier) -> None:
        self._version = version
        self._groups = groups
        self._workloads = workloads
        self._natives = natives
        self._applier = applier

    async def reconcile(self, key: Key) -> float | None:
        group = self._groups.get(*key)
        if group is not None:
            actions = wanted_actions(self._version, group, self._workloads.get(*key), self._natives.get(*key))
            await self._applier.apply(PODGROUP, group, Decision(actions=tuple(actions)))
        return None


def build(context: ControllerContext) -> Controller:
    if not isinstance(context.gang, NativeBackend):
        raise TypeError("Workloads are kept for the native backend only")
    version, caches = context.gang.version, context.caches
    groups = caches.want(PODGROUP)
    workloads, natives = caches.want(workload_kind(version)), caches.want(group_kind(version))
    owner = its_controller(PODGROUP)
    return Controller(
        name="native",
        queue=WorkQueue("native"),
        reconciler=NativeReconciler(version, groups, workloads, natives, context.applier),
        routes=(
            Route(groups, itself, own_writes=False),
            Route(workloads, owner, own_writes=False),
            Route(natives, owner, own_writes=False),
        ),
        primary=groups,
    )
