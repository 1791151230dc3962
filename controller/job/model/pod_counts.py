"""Counts pods for each task and phase. Results of pods that are gone are included from the record."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.observed import PodObservation
from controller.job.model.pods_by_role import STOPPED, PodsByRole
from controller.job.model.record import JobRecord, TaskProgress
from shared.model.phases import PodPhase


class TaskPodCounts(msgspec.Struct, frozen=True):
    """Pods of a task. `missing`: indexes that have neither a pod nor a recorded result."""

    pending: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    unknown: int = 0
    terminating: int = 0
    ready: int = 0
    restarts: int = 0
    missing: tuple[int, ...] = ()

    @property
    def by_phase(self) -> dict[str, int]:
        """Non-zero counts by pod phase, as `taskStatusCount` has them."""
        return {phase.value: count for phase in PodPhase if (count := getattr(self, phase.value.lower()))}


JobPodCounts = Mapping[str, TaskPodCounts]


def count_pods(by_role: PodsByRole, record: JobRecord, wanted: EffectiveSpec) -> JobPodCounts:
    """Counts by task name. `record` must contain the results of the pods (see `remember`)."""
    stopped = record.phase in STOPPED
    leftovers = Counter(pod.task for pod in (*by_role.stale, *by_role.surplus) if not (stopped and pod.finished))
    count = _count_stopped if stopped else _count
    return {
        task.name: count(task, by_role.of(task.name), record.task(task.name), leftovers[task.name])
        for task in wanted.tasks
    }


def _count(task: Task, pods: Mapping[int, PodObservation], known: TaskProgress, leftovers: int) -> TaskPodCounts:
    results = known.succeeded | known.failed
    alive = [pod for index, pod in pods.items() if index not in results and not pod.terminating]
    phases = Counter(pod.phase for pod in alive)
    return TaskPodCounts(
        pending=phases[PodPhase.PENDING],
        running=phases[PodPhase.RUNNING],
        unknown=phases[PodPhase.UNKNOWN],
        succeeded=len(known.succeeded),
        failed=len(known.failed),
        terminating=sum(pod.terminating for pod in pods.values()) + leftovers,
        ready=sum(pod.ready for pod in alive if pod.phase is PodPhase.RUNNING) + len(known.succeeded),
        restarts=sum(pod.restarts for pod in alive),
        missing=tuple(index for index in range(task.replicas) if index not in pods and index not in results),
    )


def _count_stopped(
    task: Task, pods: Mapping[int, PodObservation], known: TaskProgress, leftovers: int
) -> TaskPodCounts:
    """A stopped Job has only results: what has not finished is deleted in this pass."""
    ending = sum(not pod.finished for pod in pods.values())
    return TaskPodCounts(succeeded=len(known.succeeded), failed=len(known.failed), terminating=ending + leftovers)


def remember(by_role: PodsByRole, record: JobRecord, wanted: EffectiveSpec) -> JobRecord:
    """The record with what the pods show: which exist, succeeded and failed. Events must have been handled before."""
    if record.phase.finished and not record.tasks:
        return record  # finished by another controller: its status is kept
    tasks = {task.name: _remember(task, by_role.of(task.name), record, by_role) for task in wanted.tasks}
    return record.replace(tasks=tasks)


def _remember(task: Task, pods: Mapping[int, PodObservation], record: JobRecord, by_role: PodsByRole) -> TaskProgress:
    known, stopped = record.task(task.name), record.phase in STOPPED
    succeeded = {index for index, pod in pods.items() if pod.finished and pod.phase is PodPhase.SUCCEEDED}
    failed = {index for index, pod in pods.items() if pod.finished and pod.phase is PodPhase.FAILED}
    living = {index for index, pod in pods.items() if pod.alive}
    within = frozenset(range(task.replicas)) | (known.succeeded | known.failed if stopped else frozenset())
    stored = msgspec.structs.replace(
        known,
        created=known.created if stopped else within & (known.created | succeeded | failed | living),
        succeeded=within & (known.succeeded | succeeded),
        failed=within & ((known.failed - living) | failed) - succeeded - known.succeeded,
        replacing=known.replacing & {pod.uid for pod in by_role.stale} if known.replacing else known.replacing,
    )
    return known if stored == known else stored


def total(counts: JobPodCounts, field: str) -> int:
    """The sum of a count over all tasks."""
    return sum(getattr(task, field) for task in counts.values())
