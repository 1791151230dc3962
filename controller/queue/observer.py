"""Reads from the caches what the decision about a Queue needs."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from controller.gang_api import GangAdmission
from controller.queue.account import as_quantities
from controller.queue.observed import QueueObservation
from controller.queue.routes import PARENT_INDEX, PHASE_INDEX, QUEUE_INDEX, index_by_parent, state_of
from controller.runtime.command_targets import TargetedCommands
from shared.graphs.ancestry import cycle, descendants
from shared.key import Key
from shared.kube.cache.cache import Cache
from shared.model.command import Command
from shared.model.phases import PodGroupPhase, QueueState
from shared.model.queue import Queue
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
COUNT_SECONDS: Final = 3.0  # counters are written at most this often, states at once


class QueueObserver:
    def __init__(
        self,
        queues: Cache,
        groups: Cache,
        commands: TargetedCommands,
        admission: GangAdmission,
        clock: Callable[[], float],
    ) -> None:
        self._queues, self._groups, self._commands = queues, groups, commands
        self._admission, self._clock = admission, clock

    def observe(
        self, key: Key, body: Body, wrote_ago: float, reported_cycle: tuple[str, ...]
    ) -> QueueObservation | None:
        """None, and a warning in the log, if the Queue cannot be read."""
        try:
            queue = msgspec.convert(body, Queue)
        except msgspec.ValidationError as fault:
            LOG.warning("Queue cannot be read, ignored", extra={"name_": key.name, "error": str(fault)})
            return None
        in_cycle = cycle(key.name, self._parent_of)
        return QueueObservation(
            queue=queue,
            body=body,
            now=self._clock(),
            parent=self._state_of_parent(key.name, in_cycle),
            children={
                name: state_of(self._queues.get("", name)) for name in self._children(key.name) if name not in in_cycle
            },
            groups={phase: len(self._groups.keys_by(PHASE_INDEX, f"{key.name}/{phase}")) for phase in PodGroupPhase},
            allocated=self._allocated(key.name),
            commands=tuple(self._commands_of(key)),
            cycle=in_cycle,
            reported_cycle=reported_cycle,
            wrote_ago=wrote_ago,
            count_seconds=COUNT_SECONDS,
        )

    def _parent_of(self, name: str) -> str | None:
        body = self._queues.get("", name)
        return None if body is None else next(index_by_parent(body), None)

    def _state_of_parent(self, name: str, in_cycle: Sequence[str]) -> QueueState | None:
        """None without a parent, and within a cycle, where each queue would follow the state of every other."""
        parent = self._parent_of(name)
        return None if parent is None or in_cycle else state_of(self._queues.get("", parent))

    def _children(self, name: str) -> list[str]:
        return [key.name for key in self._queues.keys_by(PARENT_INDEX, name)]

    def _allocated(self, name: str) -> dict[str, str] | None:
        """What the groups of a queue and of those below it use; None where another scheduler counts the usage."""
        amounts: Counter[str] = Counter()
        for queue in (name, *descendants(name, self._children)):
            for key in self._groups.keys_by(QUEUE_INDEX, queue):
                usage = self._admission.usage(key)
                if usage is None:
                    return None
                amounts.update(usage)
        return as_quantities(amounts)

    def _commands_of(self, key: Key) -> Iterator[Command]:
        for body in self._commands.of(key):
            try:
                command = msgspec.convert(body, Command)
            except msgspec.ValidationError as fault:
                LOG.warning("Command cannot be read, ignored", extra={"error": str(fault)})
                continue
            if not command.metadata.deletion_timestamp:
                yield command
