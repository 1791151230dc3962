"""What has happened since the status was written, derived from pods and recorded state (decisions row 8).

Level-triggered: each happening is found again at every pass until `marked` has recorded it, whatever was missed.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from controller.job.decide.defaults import Task, Wanted
from controller.job.decide.record import Ledger, TaskLedger
from controller.job.observe.observed import JobSeen, PodSeen
from controller.job.observe.pods_by_role import View, current_group
from shared.model.job_status import HandledEvent
from shared.model.phases import JobEvent, PodGroupPhase, PodPhase
from shared.timestamp import rfc3339


class Happening(msgspec.Struct, frozen=True):
    """`index`, `pod`: of the pod it is about, -1 and None otherwise; `uid`: of that pod when it is gone; `since`: epoch
    seconds; `what`: the same for people; `key`: names it for good."""

    event: JobEvent
    task: str = ""
    index: int = -1
    pod: PodSeen | None = None
    exit_code: int | None = None
    since: float = 0.0
    what: str = ""
    uid: str = ""

    @property
    def key(self) -> str:
        if self.index < 0:
            return f"{self.event}/{self.task}" if self.task else str(self.event)
        return f"{self.event}/{self.task}/{self.index}/{self.pod.uid if self.pod else self.uid}"


def happenings(seen: JobSeen, view: View, ledger: Ledger, wanted: Wanted) -> tuple[Happening, ...]:
    """Everything not yet marked, oldest first."""
    found = [happening for task in wanted.tasks for happening in _of_task(task, seen, view, ledger)]
    found += [happening for source in (_unknown, _updated) for happening in source(seen, ledger)]
    return tuple(sorted(found, key=lambda happening: happening.since))


def _of_task(task: Task, seen: JobSeen, view: View, ledger: Ledger) -> Iterator[Happening]:
    known, pods, now = ledger.task(task.name), view.of(task.name), seen.now
    for index in known.created - pods.keys() - known.succeeded - known.failed:
        if index < task.replicas:
            what = f"pod {index} of task {task.name} was deleted"
            yield Happening(JobEvent.POD_EVICTED, task.name, index, since=now, what=what)
    for pod in pods.values():
        if happening := _of_pod(pod, known, now):
            yield happening
    yield from _progress(task, pods, ledger, now)


def _of_pod(pod: PodSeen, known: TaskLedger, now: float) -> Happening | None:
    """Disruption and deletion go before failure: a pod killed gracefully often fails first (decisions row 12)."""
    lying = pod.disrupted and pod.phase is PodPhase.FAILED and pod.index not in known.failed
    if pod.terminating or lying:
        unseen = pod.index in known.created or (lying and not pod.terminating)
        what = f"pod {pod.name} was evicted"
        return Happening(JobEvent.POD_EVICTED, pod.task, pod.index, pod, since=now, what=what) if unseen else None
    if pod.phase is not PodPhase.FAILED or pod.index in known.failed:
        return None
    what = f"pod {pod.name} failed" + ("" if pod.exit_code is None else f" with exit code {pod.exit_code}")
    since = now if pod.ended is None else pod.ended
    return Happening(JobEvent.POD_FAILED, pod.task, pod.index, pod, pod.exit_code or 0, since, what)


def _progress(task: Task, pods: Mapping[int, PodSeen], ledger: Ledger, now: float) -> Iterator[Happening]:
    known = ledger.task(task.name)
    succeeded = known.succeeded | {i for i, pod in pods.items() if pod.finished and pod.phase is PodPhase.SUCCEEDED}
    if len(succeeded) >= task.replicas > 0:
        if not known.completed:
            what = f"all pods of task {task.name} succeeded"
            since = max((pod.ended or 0.0 for pod in pods.values()), default=0.0) or now
            yield Happening(JobEvent.TASK_COMPLETED, task.name, since=since, what=what)
    elif not known.gave_up:
        yield from _task_failed(task, pods, ledger, now)


def running(seen: JobSeen, view: View, ledger: Ledger) -> Iterator[Happening]:
    """Pods that run: only looked for when a policy names PodRunning, since it means a mark for every pod."""
    for pods in view.current.values():
        for pod in pods.values():
            if pod.alive and pod.phase is PodPhase.RUNNING:
                what = f"pod {pod.name} is running"
                happening = Happening(JobEvent.POD_RUNNING, pod.task, pod.index, pod, since=seen.now, what=what)
                if happening.key not in ledger.handled:
                    yield happening


def _task_failed(task: Task, pods: Mapping[int, PodSeen], ledger: Ledger, now: float) -> Iterator[Happening]:
    """Its containers restarted too often, or too many of its pods have failed for good."""
    known = ledger.task(task.name)
    restarts = sum(pod.restarts for pod in pods.values() if pod.alive)
    if restarts >= max(1, task.max_retry):
        what = f"containers of task {task.name} restarted {restarts} times (maxRetry {task.max_retry})"
        yield Happening(JobEvent.TASK_FAILED, task.name, since=now, what=what)
    elif task.replicas - len(known.failed) < task.minimum and not waiting(ledger, task.name):
        what = f"{len(known.failed)} of {task.replicas} pods of task {task.name} failed, {task.minimum} are needed"
        yield Happening(JobEvent.TASK_FAILED, task.name, since=now, what=what)


def waiting(ledger: Ledger, task: str) -> bool:
    """Whether a policy's timer runs for something that happened to a pod of `task`."""
    return any(timer.key.split("/")[1:2] == [task] for timer in ledger.timers)


def _unknown(seen: JobSeen, ledger: Ledger) -> Iterator[Happening]:
    group = current_group(seen.group, ledger)
    if group and group.status.phase is PodGroupPhase.UNKNOWN and str(JobEvent.UNKNOWN) not in ledger.handled:
        yield Happening(
            JobEvent.UNKNOWN, since=seen.now, what="the PodGroup is Unknown: some pods run, others cannot be scheduled"
        )


def _updated(seen: JobSeen, ledger: Ledger) -> Iterator[Happening]:
    generation = seen.job.metadata.generation
    if ledger.generation is not None and generation > ledger.generation:
        yield Happening(JobEvent.JOB_UPDATED, since=seen.now, what=f"spec was changed (generation {generation})")


# --- marking: after it the same thing is not found again ------------------------------------------------------------------


def marked(ledger: Ledger, happening: Happening, seen: JobSeen) -> Ledger:
    """The ledger in which `happening` is done with."""
    return _MARKS[happening.event](ledger, happening, seen)


def _mark_failed(ledger: Ledger, happening: Happening, seen: JobSeen) -> Ledger:
    return ledger.with_task(happening.task, failed=ledger.task(happening.task).failed | {happening.index})


def _mark_evicted(ledger: Ledger, happening: Happening, seen: JobSeen) -> Ledger:
    """A pod that the cluster ended and left lying is replaced, as one that it deleted is."""
    known = ledger.task(happening.task)
    lying = {happening.pod.uid} if happening.pod and not happening.pod.terminating else set()
    return ledger.with_task(
        happening.task, created=known.created - {happening.index}, replacing=known.replacing | lying
    )


def _mark_completed(ledger: Ledger, happening: Happening, seen: JobSeen) -> Ledger:
    return ledger.with_task(happening.task, completed=True)


def _mark_gave_up(ledger: Ledger, happening: Happening, seen: JobSeen) -> Ledger:
    return ledger.with_task(happening.task, gave_up=True)


def _mark_generation(ledger: Ledger, happening: Happening, seen: JobSeen) -> Ledger:
    return ledger.but(generation=seen.job.metadata.generation)


def _mark_key(ledger: Ledger, happening: Happening, seen: JobSeen) -> Ledger:
    return ledger.with_handled(HandledEvent(key=happening.key, since=rfc3339(happening.since)))


_MARKS: Final[dict[JobEvent, Callable[[Ledger, Happening, JobSeen], Ledger]]] = {
    JobEvent.POD_FAILED: _mark_failed,
    JobEvent.POD_EVICTED: _mark_evicted,
    JobEvent.TASK_COMPLETED: _mark_completed,
    JobEvent.TASK_FAILED: _mark_gave_up,
    JobEvent.JOB_UPDATED: _mark_generation,
    JobEvent.UNKNOWN: _mark_key,
    JobEvent.POD_PENDING: _mark_key,
    JobEvent.POD_RUNNING: _mark_key,
}
