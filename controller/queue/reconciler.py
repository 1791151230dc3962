"""The Queue controller: observe, decide, apply."""

import math
from collections.abc import Callable

import msgspec

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.queue.decide import ALWAYS_THERE, decide, missing
from controller.queue.observer import QueueObserver
from controller.queue.routes import (
    PARENT_INDEX,
    PHASE_INDEX,
    QUEUE_INDEX,
    group_wakes,
    index_by_parent,
    index_by_phase,
    index_by_queue,
    queue_wakes,
)
from controller.runtime.command_targets import TargetedCommands
from controller.runtime.controller import Controller, Route
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import PODGROUP, QUEUE
from shared.kube.cache.cache import Cache


class QueueReconciler:
    def __init__(self, context: ControllerContext, caches: tuple[Cache, Cache], commands: TargetedCommands) -> None:
        queues, groups = caches
        self._queues = queues
        self._commands = commands
        self._applier: Applier = context.applier
        self._observer = QueueObserver(queues, groups, commands, context.admission, context.clock)
        self._steady: Callable[[], float] = context.steady
        self._wrote: dict[Key, float] = {}
        self._reported_cycles: dict[Key, tuple[str, ...]] = {}

    async def reconcile(self, key: Key) -> float | None:
        await self._commands.catch_up(self._queues, key)
        body = self._queues.get("", key.name)
        if body is None:
            self._wrote.pop(key, None)
            self._reported_cycles.pop(key, None)
            made = missing(key.name)
            await self._applier.apply(QUEUE, {"metadata": {"name": key.name}}, made)
            return 0.0 if made.actions else None
        wrote_ago = self._steady() - self._wrote.get(key, -math.inf)
        observed = self._observer.observe(key, body, wrote_ago, self._reported_cycles.get(key, ()))
        if observed is None:
            return None
        decision = decide(observed)
        if decision.status is not None and decision.status != body.get("status"):
            self._wrote[key] = self._steady()
        if (
            decision.actions
        ):  # a patch changes the resourceVersion that a status write needs: the status follows in the next pass
            await self._applier.apply(QUEUE, body, msgspec.structs.replace(decision, status=None, cleanup=(), notes=()))
            return 0.0
        await self._applier.apply(QUEUE, body, decision)
        self._reported_cycles[key] = observed.cycle
        return decision.requeue_after


def build(context: ControllerContext) -> Controller:
    queues = context.caches.want(QUEUE, indexers={PARENT_INDEX: index_by_parent})
    groups = context.caches.want(PODGROUP, indexers={QUEUE_INDEX: index_by_queue, PHASE_INDEX: index_by_phase})
    commands = TargetedCommands(QUEUE, context.caches, context.api, context.applier)
    queue = WorkQueue("queue")
    for name in ALWAYS_THERE:
        queue.add(Key("", name))
    return Controller(
        name="queue",
        queue=queue,
        reconciler=QueueReconciler(context, (queues, groups), commands),
        routes=(
            Route(queues, queue_wakes(queues), own_writes=False),
            Route(groups, group_wakes(queue)),
            Route(commands.cache, commands.wakes),
        ),
        primary=queues,
    )
