"""Events since the status was written, derived from pods and the record (docs/design/decisions.md, row 8).

Level-triggered: each pass finds an event again until `marked` has recorded it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.observed import JobObservation, PodObservation
from controller.job.model.pods_by_role import PodsByRole, current_group
from controller.job.model.record import JobRecord, TaskProgress
from shared.codec.plural import number_of, verb
from shared.model.job_status import HandledEvent
from shared.model.phases import JobEvent, PodGroupPhase, PodPhase
from shared.timestamp import rfc3339


class LifecycleEvent(msgspec.Struct, frozen=True):
    """An event that a lifecycle policy may name. `index`, `pod`: the pod that it is about, -1 and None otherwise;
    `uid`: of that pod when it is gone; `since`: epoch seconds; `message`: a sentence for users; `key`: identifies
    the event.
    """

    type: JobEvent
    task: str = ""
    index: int = -1
    pod: PodObservation | None = None
    exit_code: int | None = None
    since: float = 0.0
    message: str = ""
    uid: str = ""

    @property
    def key(self) -> str:
        if self.index < 0:
            return f"{self.type}/{self.task}" if self.task else str(self.type)
        return f"{self.type}/{self.task}/{self.index}/{self.pod.uid if self.pod else self.uid}"


def find_events(
    observed: JobObservation, by_role: PodsByRole, record: JobRecord, wanted: EffectiveSpec
) -> tuple[LifecycleEvent, ...]:
    """Everything that is not marked yet, oldest first."""
    found = [event for task in wanted.tasks for event in _of_task(task, observed, by_role, record)]
    found += [event for source in (_unknown, _updated) for event in source(observed, record)]
    return tuple(sorted(found, key=lambda event: event.since))


def _of_task(task: Task, observed: JobObservation, by_role: PodsByRole, record: JobRecord) -> Iterator[LifecycleEvent]:
    known, pods, now = record.task(task.name), by_role.of(task.name), observed.now
    for index in known.created - pods.keys() - known.succeeded - known.failed:
        if index < task.replicas:
            message = f"pod {index} of task {task.name} was deleted"
            yield LifecycleEvent(JobEvent.POD_EVICTED, task.name, index, since=now, message=message)
    for pod in pods.values():
        if event := _of_pod(pod, known, now):
            yield event
    yield from _progress(task, pods, record, now)


def _of_pod(pod: PodObservation, known: TaskProgress, now: float) -> LifecycleEvent | None:
    """Disruption and deletion are checked before failure: a pod that is terminated gracefully often fails first
    (docs/design/decisions.md, row 12).
    """
    left_behind = pod.disrupted and pod.phase is PodPhase.FAILED and pod.index not in known.failed
    if pod.terminating or left_behind:
        unseen = pod.index in known.created or (left_behind and not pod.terminating)
        message = f"pod {pod.name} was evicted{_detail(pod) if left_behind else ''}"
        return (
            LifecycleEvent(JobEvent.POD_EVICTED, pod.task, pod.index, pod, since=now, message=message)
            if unseen
            else None
        )
    if pod.phase is not PodPhase.FAILED or pod.index in known.failed:
        return None
    message = f"pod {pod.name} failed" + ("" if pod.exit_code is None else f" with exit code {pod.exit_code}")
    message += _detail(pod)
    since = now if pod.ended is None else pod.ended
    return LifecycleEvent(JobEvent.POD_FAILED, pod.task, pod.index, pod, pod.exit_code or 0, since, message)


def _detail(pod: PodObservation) -> str:
    """Why it failed, where Kubernetes says more than the exit code: ` (OOMKilled)`."""
    problem = pod.problem
    return "" if problem is None or problem.reason in ("Error", "Failed") else f" ({problem.reason})"


def _progress(
    task: Task, pods: Mapping[int, PodObservation], record: JobRecord, now: float
) -> Iterator[LifecycleEvent]:
    known = record.task(task.name)
    succeeded = known.succeeded | {i for i, pod in pods.items() if pod.finished and pod.phase is PodPhase.SUCCEEDED}
    if len(succeeded) >= task.replicas > 0:
        if not known.completed:
            message = f"all pods of task {task.name} succeeded"
            since = max((pod.ended or 0.0 for pod in pods.values()), default=0.0) or now
            yield LifecycleEvent(JobEvent.TASK_COMPLETED, task.name, since=since, message=message)
    elif not known.gave_up:
        yield from _task_failed(task, pods, record, now)


def running(observed: JobObservation, by_role: PodsByRole, record: JobRecord) -> Iterator[LifecycleEvent]:
    """Running pods. Used only when a policy names PodRunning, since it stores a mark for every pod."""
    for pods in by_role.current.values():
        for pod in pods.values():
            if pod.alive and pod.phase is PodPhase.RUNNING:
                message = f"pod {pod.name} is running"
                event = LifecycleEvent(
                    JobEvent.POD_RUNNING, pod.task, pod.index, pod, since=observed.now, message=message
                )
                if event.key not in record.handled:
                    yield event


def _task_failed(
    task: Task, pods: Mapping[int, PodObservation], record: JobRecord, now: float
) -> Iterator[LifecycleEvent]:
    """The containers of the task restarted too often, or too many of its pods have failed for good."""
    known = record.task(task.name)
    restarts = sum(pod.restarts for pod in pods.values() if pod.alive)
    if restarts >= max(1, task.max_retry):
        message = f"containers of task {task.name} restarted {number_of(restarts, 'time')} (maxRetry {task.max_retry})"
        yield LifecycleEvent(JobEvent.TASK_FAILED, task.name, since=now, message=message)
    elif task.replicas - len(known.failed) < task.minimum and not waiting(record, task.name):
        all_pods = number_of(task.replicas, "pod")
        needed = f"{task.minimum} {verb(task.minimum, 'is', 'are')} needed"
        message = f"{len(known.failed)} of {all_pods} of task {task.name} failed, {needed}"
        yield LifecycleEvent(JobEvent.TASK_FAILED, task.name, since=now, message=message)


def waiting(record: JobRecord, task: str) -> bool:
    """Whether a timer of a policy runs for a pod of `task`."""
    return any(timer.key.split("/")[1:2] == [task] for timer in record.timers)


def _unknown(observed: JobObservation, record: JobRecord) -> Iterator[LifecycleEvent]:
    group = current_group(observed.group, record)
    if group and group.status.phase is PodGroupPhase.UNKNOWN and str(JobEvent.UNKNOWN) not in record.handled:
        yield LifecycleEvent(
            JobEvent.UNKNOWN,
            since=observed.now,
            message="the PodGroup is Unknown: some pods run, others cannot be scheduled",
        )


def _updated(observed: JobObservation, record: JobRecord) -> Iterator[LifecycleEvent]:
    generation = observed.job.metadata.generation
    if record.generation is not None and generation > record.generation:
        yield LifecycleEvent(
            JobEvent.JOB_UPDATED, since=observed.now, message=f"spec was changed (generation {generation})"
        )


# --- marking: a marked event is not found again ------------------------------------------------------------------


def marked(record: JobRecord, event: LifecycleEvent, observed: JobObservation) -> JobRecord:
    """The record in which `event` is handled."""
    return _MARKS[event.type](record, event, observed)


def _mark_failed(record: JobRecord, event: LifecycleEvent, observed: JobObservation) -> JobRecord:
    return record.with_task(event.task, failed=record.task(event.task).failed | {event.index})


def _mark_evicted(record: JobRecord, event: LifecycleEvent, observed: JobObservation) -> JobRecord:
    """A pod that the cluster ended and did not delete is replaced like one that it deleted."""
    known = record.task(event.task)
    left_behind = {event.pod.uid} if event.pod and not event.pod.terminating else set()
    return record.with_task(event.task, created=known.created - {event.index}, replacing=known.replacing | left_behind)


def _mark_completed(record: JobRecord, event: LifecycleEvent, observed: JobObservation) -> JobRecord:
    return record.with_task(event.task, completed=True)


def _mark_gave_up(record: JobRecord, event: LifecycleEvent, observed: JobObservation) -> JobRecord:
    return record.with_task(event.task, gave_up=True)


def _mark_generation(record: JobRecord, event: LifecycleEvent, observed: JobObservation) -> JobRecord:
    return record.replace(generation=observed.job.metadata.generation)


def _mark_key(record: JobRecord, event: LifecycleEvent, observed: JobObservation) -> JobRecord:
    return record.with_handled(HandledEvent(key=event.key, since=rfc3339(event.since)))


_MARKS: Final[dict[JobEvent, Callable[[JobRecord, LifecycleEvent, JobObservation], JobRecord]]] = {
    JobEvent.POD_FAILED: _mark_failed,
    JobEvent.POD_EVICTED: _mark_evicted,
    JobEvent.TASK_COMPLETED: _mark_completed,
    JobEvent.TASK_FAILED: _mark_gave_up,
    JobEvent.JOB_UPDATED: _mark_generation,
    JobEvent.UNKNOWN: _mark_key,
    JobEvent.POD_PENDING: _mark_key,
    JobEvent.POD_RUNNING: _mark_key,
}
