"""What the status of a Job records, in the form that deciding uses. controller.job.status.job_status writes it back."""

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.job.model.defaults import EffectiveSpec
from shared import ranges
from shared.model.job_status import HandledEvent, JobCondition, JobStatus, TaskRecord
from shared.model.phases import JobPhase


class TaskProgress(msgspec.Struct, frozen=True):
    """See shared.model.job_status.TaskRecord."""

    retries: int = 0
    created: frozenset[int] = frozenset()
    succeeded: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    replacing: frozenset[str] = frozenset()
    released: bool = False
    completed: bool = False
    gave_up: bool = False


class JobRecord(msgspec.Struct, frozen=True):
    """The recorded state of a Job. `handled`: handled events and timers, by key."""

    phase: JobPhase
    reason: str = ""
    message: str = ""
    transition: str | None = None
    version: int = 0
    retries: int = 0
    tasks: Mapping[str, TaskProgress] = {}
    handled: Mapping[str, HandledEvent] = {}
    commands: tuple[str, ...] = ()
    conditions: tuple[JobCondition, ...] = ()
    generation: int | None = None
    started: str | None = None
    ended: str | None = None
    active_since: str | None = None
    suspended: bool = False

    def task(self, name: str) -> TaskProgress:
        return self.tasks.get(name, TaskProgress())

    def replace(self, **changes: Any) -> "JobRecord":
        return msgspec.structs.replace(self, **changes)

    def with_task(self, name: str, **changes: Any) -> "JobRecord":
        return self.replace(tasks={**self.tasks, name: msgspec.structs.replace(self.task(name), **changes)})

    def with_handled(self, event: HandledEvent) -> "JobRecord":
        return self.replace(handled={**self.handled, event.key: event})

    def without_handled(self, *keys: str) -> "JobRecord":
        return self.replace(handled={key: event for key, event in self.handled.items() if key not in keys})

    @property
    def timers(self) -> tuple[HandledEvent, ...]:
        return tuple(event for event in self.handled.values() if event.due)


def read_record(status: JobStatus, wanted: EffectiveSpec) -> JobRecord:
    """The record of a stored status; a Job without one is Pending. Tasks that spec no longer has are dropped."""
    records = {record.name: record for record in status.tasks}
    return JobRecord(
        phase=status.state.phase or JobPhase.PENDING,
        reason=status.state.reason,
        message=status.state.message,
        transition=status.state.last_transition_time,
        version=status.version,
        retries=status.retry_count,
        tasks={task.name: _task(records[task.name]) for task in wanted.tasks if task.name in records},
        handled={event.key: event for event in status.handled},
        commands=status.handled_commands,
        conditions=status.conditions,
        generation=status.observed_generation,
        started=status.start_time,
        ended=status.completion_time,
        active_since=status.active_since,
        suspended=status.suspended,
    )


def _task(record: TaskRecord) -> TaskProgress:
    return TaskProgress(
        retries=record.retries,
        created=ranges.parse(record.created),
        succeeded=ranges.parse(record.succeeded),
        failed=ranges.parse(record.failed),
        replacing=frozenset(record.replacing),
        released=record.released,
        completed=record.completed,
        gave_up=record.gave_up,
    )


def task_records(record: JobRecord) -> tuple[TaskRecord, ...]:
    """The tasks of the record as status stores them."""
    return tuple(
        TaskRecord(
            name=name,
            retries=task.retries,
            created=ranges.dump(task.created),
            succeeded=ranges.dump(task.succeeded),
            failed=ranges.dump(task.failed),
            replacing=tuple(sorted(task.replacing)),
            released=task.released,
            completed=task.completed,
            gave_up=task.gave_up,
        )
        for name, task in record.tasks.items()
    )
