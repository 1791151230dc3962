"""Timers of policies. They are computed from recorded times, so that a restart does not change them
(docs/design/decisions.md, row
7).

PodPending is computed from the pods, the others from status.handled.
"""

import math
from collections.abc import Iterator

from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation, PodObservation
from controller.job.model.pods_by_role import PodsByRole, current_group
from controller.job.model.record import JobRecord
from controller.job.react.events import LifecycleEvent
from controller.job.react.policies import Reaction, is_covered, reaction
from shared.model.job_status import HandledEvent
from shared.model.phases import JobAction, JobEvent, PodGroupPhase, PodPhase
from shared.timestamp import epoch, epoch_or_none, rfc3339


def start_timer(event: LifecycleEvent, answer: Reaction) -> HandledEvent:
    """The timer of a policy with a timeout. Status stores whole seconds, so it fires up to two seconds late, never
    early.
    """
    due = rfc3339(math.ceil(_at_latest(event.since) + answer.delay))
    return HandledEvent(key=event.key, since=rfc3339(event.since), due=due, action=answer.action.value)


def _at_latest(recorded: float) -> float:
    """The latest time at which it can have happened: Kubernetes cuts times to whole seconds."""
    return math.floor(recorded) + 1


def due(record: JobRecord, by_role: PodsByRole, now: float) -> tuple[tuple[LifecycleEvent, JobAction], ...]:
    """Timers that are due, earliest first, with the event that started them."""
    ready = [timer for timer in record.timers if epoch(timer.due or "") <= now]
    return tuple(
        (_event_of(timer, by_role), JobAction(timer.action)) for timer in sorted(ready, key=lambda t: t.due or "")
    )


def _event_of(timer: HandledEvent, by_role: PodsByRole) -> LifecycleEvent:
    event, task, index, uid = (*timer.key.split("/"), "", "", "")[:4]
    pod = by_role.of(task).get(int(index)) if index else None
    return LifecycleEvent(
        JobEvent(event),
        task,
        int(index) if index else -1,
        pod if pod and pod.uid == uid else None,
        since=epoch_or_none(timer.since) or 0.0,
        uid=uid,
        message=f"{event} of {f'pod {index} of ' if index else ''}{f'task {task}' if task else 'the Job'} lasted until {timer.due}",
    )


def stop_timer(record: JobRecord, event: LifecycleEvent) -> JobRecord:
    """The record without the timer. The mark of event Unknown is kept, or the event would be found again."""
    if event.type is JobEvent.UNKNOWN:
        return record.with_handled(HandledEvent(key=event.key, since=rfc3339(event.since)))
    return record.without_handled(event.key)


def reopen_deleted(record: JobRecord, by_role: PodsByRole) -> JobRecord:
    """While a policy's timer runs for a failed pod, deleting that pod by hand runs it again, and its success stops the
    timer.
    """
    for timer in record.timers:
        kind, task, index, _ = (*timer.key.split("/"), "", "", "")[:4]
        if kind == JobEvent.POD_FAILED and int(index) not in by_role.of(task):
            known = record.task(task)
            record = record.with_task(task, failed=known.failed - {int(index)}, created=known.created - {int(index)})
    return record


def drop_stale(record: JobRecord, observed: JobObservation, by_role: PodsByRole) -> JobRecord:
    """The record without marks and timers whose cause is gone: the replacement runs, the PodGroup is known again, or
    the pod is gone.
    """
    uids = {pod.uid for pod in observed.pods}
    gone = [key for key, event in record.handled.items() if _is_over(event, record, observed, by_role, uids)]
    return record.without_handled(*gone) if gone else record


def _is_over(
    event: HandledEvent, record: JobRecord, observed: JobObservation, by_role: PodsByRole, uids: set[str]
) -> bool:
    kind, task, index, uid = (*event.key.split("/"), "", "", "")[:4]
    if kind == JobEvent.UNKNOWN:
        group = current_group(observed.group, record)
        return group is None or group.status.phase is not PodGroupPhase.UNKNOWN
    if kind == JobEvent.TASK_COMPLETED:
        return not record.task(task).completed
    if kind == JobEvent.TASK_FAILED:
        return not record.task(task).gave_up
    if kind in (JobEvent.POD_FAILED, JobEvent.POD_EVICTED):
        pod = by_role.of(task).get(int(index))
        return pod is not None and pod.uid != uid and pod.alive and pod.phase is PodPhase.RUNNING
    return kind in (JobEvent.POD_PENDING, JobEvent.POD_RUNNING) and not event.due and uid not in uids


def pending(
    observed: JobObservation, by_role: PodsByRole, record: JobRecord, wanted: EffectiveSpec
) -> Iterator[tuple[float, LifecycleEvent, JobAction]]:
    """(due, event, action) for every pending pod that a PodPending policy covers."""
    for task in wanted.tasks if is_covered(wanted, JobEvent.POD_PENDING) else ():
        for pod in by_role.of(task.name).values():
            event = _is_pending(pod)
            answer = reaction(wanted, event)
            if pod.alive and pod.phase is PodPhase.PENDING and answer and event.key not in record.handled:
                yield _at_latest(pod.created) + answer.delay, event, answer.action


def _is_pending(pod: PodObservation) -> LifecycleEvent:
    message = f"pod {pod.name} is pending since {rfc3339(pod.created)}"
    return LifecycleEvent(JobEvent.POD_PENDING, pod.task, pod.index, pod, since=pod.created, message=message)


def next_due(observed: JobObservation, by_role: PodsByRole, record: JobRecord, wanted: EffectiveSpec) -> float | None:
    """When the next deadline is due, in epoch seconds."""
    times = [epoch(timer.due or "") for timer in record.timers]
    times += [at for at, _, _ in pending(observed, by_role, record, wanted)]
    return min(times, default=None)
