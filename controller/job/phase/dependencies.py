"""Task `dependsOn`: which tasks may have pods, and which never will (docs/design/decisions.md, row 1 to row 3)."""

from collections.abc import Mapping
from enum import StrEnum

from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.pod_counts import JobPodCounts, TaskPodCounts
from controller.job.model.pods_by_role import PodsByRole
from controller.job.model.record import JobRecord
from controller.job.react.events import waiting
from shared.graphs import directed
from shared.model.phases import TaskCondition


class DependencyState(StrEnum):
    """The state of a task as its dependents see it."""

    PENDING = "WaitedFor"
    MET = "Met"
    UNREACHABLE = "Lost"  # the dependency can never be met


def dependency_state(task: Task, counts: TaskPodCounts, condition: TaskCondition, deferred: bool) -> DependencyState:
    """`deferred`: a policy's timer runs for the task, so its failures are not final yet."""
    if task.replicas - counts.failed < task.minimum and not deferred:
        return DependencyState.UNREACHABLE
    if condition is TaskCondition.READY:
        return DependencyState.MET if counts.ready >= task.minimum else DependencyState.PENDING
    ended = counts.succeeded + counts.failed >= task.replicas
    return DependencyState.MET if ended and counts.succeeded >= task.minimum else DependencyState.PENDING


def released(record: JobRecord, by_role: PodsByRole, counts: JobPodCounts, wanted: EffectiveSpec) -> JobRecord:
    """The record with every task released whose dependencies are met. A task that is released or has pods stays
    released.
    """
    for task in wanted.tasks:
        known = record.task(task.name)
        if not known.released and (not task.needs or by_role.of(task.name) or _is_met(task, record, counts, wanted)):
            record = record.with_task(task.name, released=True)
    return record


def _is_met(task: Task, record: JobRecord, counts: JobPodCounts, wanted: EffectiveSpec) -> bool:
    met = [_state_of(name, task, record, counts, wanted) is DependencyState.MET for name in task.needs]
    return any(met) if task.any_of else all(met)


def _state_of(name: str, task: Task, record: JobRecord, counts: JobPodCounts, wanted: EffectiveSpec) -> DependencyState:
    needed = wanted.by_name.get(name)
    if needed is None:
        return DependencyState.UNREACHABLE  # refused at admission; without the webhook it can never be met
    return dependency_state(needed, counts[name], task.condition, waiting(record, name))


def tasks_with_pods(record: JobRecord, wanted: EffectiveSpec) -> tuple[Task, ...]:
    """Released tasks. Only these count for the gang's minimum."""
    return tuple(task for task in wanted.tasks if record.task(task.name).released)


def blocked(record: JobRecord, counts: JobPodCounts, wanted: EffectiveSpec) -> Mapping[str, str]:
    """Tasks that will never start -> the task whose failure is the cause, directly or through others."""
    edges = {task.name: task.needs for task in wanted.tasks}
    unreachable: dict[str, str] = {}
    for name in directed.order(edges):
        task = wanted.by_name[name]
        if task.needs and not record.task(name).released:
            causes = [_cause(need, task, unreachable, record, counts, wanted) for need in task.needs]
            hopeless = all(causes) if task.any_of else any(causes)
            if hopeless:
                unreachable[name] = next(cause for cause in causes if cause)
    return unreachable


def _cause(
    need: str,
    task: Task,
    unreachable: Mapping[str, str],
    record: JobRecord,
    counts: JobPodCounts,
    wanted: EffectiveSpec,
) -> str:
    if need in unreachable:
        return unreachable[need]
    return need if _state_of(need, task, record, counts, wanted) is DependencyState.UNREACHABLE else ""
