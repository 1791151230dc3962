"""The Queue controller: joins observing, deciding and applying (controller.queue decides)."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.gang_api import GangAdmission
from controller.queue.account import as_quantities
from controller.queue.decide import ALWAYS_THERE, decide, missing
from controller.queue.observed import QueueSeen
from controller.runtime.command_targets import TargetedCommands
from controller.runtime.controller import Controller, Route
from controller.runtime.routes import reference_of
from controller.runtime.workqueue import WorkQueue
from shared import names
from shared.graphs.ancestry import cycle, descendants
from shared.key import Key
from shared.kinds import PODGROUP, QUEUE
from shared.kube.cache.cache import Cache
from shared.model.command import Command
from shared.model.phases import PodGroupPhase, QueueState
from shared.model.queue import Queue
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
QUEUED: Final = "in-queue"
STANDING: Final = "queue-and-phase"
PARENT: Final = "parent"
COUNT_SECONDS: Final = 3.0  # counters are written this often at most, states at once
SETTLE_SECONDS: Final = 1.0  # PodGroups that come and go are looked at once in that time


def queue_of_group(group: Body) -> Iterator[Key]:
    yield Key("", (group.get("spec") or {}).get("queue") or names.DEFAULT_QUEUE)


def index_by_queue(group: Body) -> Iterator[str]:
    for key in queue_of_group(group):
        yield key.name


def index_by_phase(group: Body) -> Iterator[str]:
    """QUEUE/PHASE: groups are counted without looking at them."""
    for key in queue_of_group(group):
        yield f"{key.name}/{_phase(group)}"


def index_by_parent(queue: Body) -> Iterator[str]:
    parent = (queue.get("spec") or {}).get("parent") or names.ROOT_QUEUE
    if queue["metadata"]["name"] != names.ROOT_QUEUE:
        yield parent


class QueueReconciler:
    """`caches`: of Queues and PodGroups."""

    def __init__(self, context: ControllerContext, caches: tuple[Cache, Cache], commands: TargetedCommands) -> None:
        self._queues, self._groups = caches
        self._commands = commands
        self._admission: GangAdmission = context.admission
        self._applier: Applier = context.applier
        self._clock: Callable[[], float] = context.clock
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
        seen = self._seen(key, body)
        if seen is None:
            return None
        decision = decide(seen)
        if decision.status is not None and decision.status != body.get("status"):
            self._wrote[key] = self._steady()
        if decision.actions:  # the patch changes the resourceVersion that a status write needs: they cannot be one pass
            await self._applier.apply(QUEUE, body, msgspec.structs.replace(decision, status=None, cleanup=(), notes=()))
            return 0.0
        await self._applier.apply(QUEUE, body, decision)
        self._reported_cycles[key] = seen.cycle
        return decision.requeue_after

    def _seen(self, key: Key, body: Body) -> QueueSeen | None:
        try:
            queue = msgspec.convert(body, Queue)
        except msgspec.ValidationError as fault:
            LOG.warning("a Queue that cannot be read is left alone", extra={"name_": key.name, "error": str(fault)})
            return None
        in_cycle = cycle(key.name, self._parent_of)
        return QueueSeen(
            queue=queue,
            body=body,
            now=self._clock(),
            parent=self._state_of_parent(key.name, in_cycle),
            children={
                name: _state(self._queues.get("", name)) for name in self._children(key.name) if name not in in_cycle
            },
            groups={phase: len(self._groups.keys_by(STANDING, f"{key.name}/{phase}")) for phase in PodGroupPhase},
            allocated=self._allocated(key.name),
            commands=tuple(self._orders(key)),
            cycle=in_cycle,
            reported_cycle=self._reported_cycles.get(key, ()),
            wrote_ago=self._steady() - self._wrote.get(key, -math.inf),
            count_seconds=COUNT_SECONDS,
        )

    def _parent_of(self, name: str) -> str | None:
        body = self._queues.get("", name)
        return None if body is None else next(index_by_parent(body), None)

    def _state_of_parent(self, name: str, in_cycle: Sequence[str]) -> QueueState | None:
        """None without a parent, and within a cycle, where each queue would follow the state of every other."""
        parent = self._parent_of(name)
        return None if parent is None or in_cycle else _state(self._queues.get("", parent))

    def _children(self, name: str) -> list[str]:
        return [key.name for key in self._queues.keys_by(PARENT, name)]

    def _allocated(self, name: str) -> dict[str, str] | None:
        """What the groups of a queue and of those below it use; None where another scheduler keeps that account."""
        amounts: Counter[str] = Counter()
        for queue in (name, *descendants(name, self._children)):
            for key in self._groups.keys_by(QUEUED, queue):
                usage = self._admission.usage(key)
                if usage is None:
                    return None
                amounts.update(usage)
        return as_quantities(amounts)

    def _orders(self, key: Key) -> Iterator[Command]:
        for body in self._commands.of(key):
            try:
                command = msgspec.convert(body, Command)
            except msgspec.ValidationError as fault:
                LOG.warning("a Command that cannot be read is ignored", extra={"error": str(fault)})
                continue
            if not command.metadata.deletion_timestamp:
                yield command


def _state(body: Body | None) -> QueueState:
    text = ((body or {}).get("status") or {}).get("state") or QueueState.OPEN.value
    return QueueState(text) if text in set(QueueState) else QueueState.UNKNOWN


def _allocated(body: Body) -> object:
    return (body.get("status") or {}).get("allocated") or {}


def _phase(group: Body) -> PodGroupPhase:
    text = (group.get("status") or {}).get("phase") or PodGroupPhase.PENDING.value
    return PodGroupPhase(text) if text in set(PodGroupPhase) else PodGroupPhase.UNKNOWN


def _queue_wakes(queues: Cache) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """Itself, those below it, which follow its state, and its parent, which waits for it and adds up what it uses."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        if body is None:
            return ()
        name = body["metadata"]["name"]
        parents = (Key("", parent) for each in (old, new) if each for parent in index_by_parent(each))
        if old is not None and new is not None and _state(old) is _state(new) and old.get("spec") == new.get("spec"):
            return (Key("", name), *(() if _allocated(old) == _allocated(new) else parents))
        below = descendants(name, lambda each: [key.name for key in queues.keys_by(PARENT, each)])
        return (Key("", name), *(Key("", each) for each in below), *parents)

    return wakes


def _group_wakes(queue: WorkQueue) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """Whatever changes in a PodGroup may change what its queue has to tell, a little later."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        for key in reference_of(old, new, queue_of_group):
            queue.add_after(key, SETTLE_SECONDS)
        return ()

    return wakes


def build(context: ControllerContext) -> Controller:
    queues = context.caches.want(QUEUE, indexers={PARENT: index_by_parent})
    groups = context.caches.want(PODGROUP, indexers={QUEUED: index_by_queue, STANDING: index_by_phase})
    commands = TargetedCommands(QUEUE, context.caches, context.api)
    queue = WorkQueue("queue")
    for name in ALWAYS_THERE:
        queue.add(Key("", name))
    return Controller(
        name="queue",
        queue=queue,
        reconciler=QueueReconciler(context, (queues, groups), commands),
        routes=(
            Route(queues, _queue_wakes(queues), own_writes=False),
            Route(groups, _group_wakes(queue)),
            Route(commands.cache, commands.wakes),
        ),
        primary=queues,
    )
