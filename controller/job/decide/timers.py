"""Deadlines, all computed from recorded times (decisions row 7): PodPending from the pods, the rest from status.handled."""

import math
from collections.abc import Iterator

from controller.job.decide.defaults import Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.observed import JobSeen, PodSeen
from controller.job.observe.pods_by_role import View, current_group
from controller.job.react.events import Happening
from controller.job.react.policies import Reaction, reaction, speaks_of
from shared.model.job_status import HandledEvent
from shared.model.phases import JobAction, JobEvent, PodGroupPhase, PodPhase
from shared.timestamp import epoch, epoch_or_none, rfc3339


def armed(happening: Happening, answer: Reaction) -> HandledEvent:
    """The timer for a policy with a timeout. Status keeps whole seconds: late by two at most, never early."""
    due = rfc3339(math.ceil(_at_latest(happening.since) + answer.delay))
    return HandledEvent(key=happening.key, since=rfc3339(happening.since), due=due, action=answer.action.value)


def _at_latest(recorded: float) -> float:
    """When it happened at the latest: Kubernetes cuts its times to whole seconds."""
    return math.floor(recorded) + 1


def due(ledger: Ledger, view: View, now: float) -> tuple[tuple[Happening, JobAction], ...]:
    """Timers whose time has come, earliest first, with what they were armed for."""
    ready = [timer for timer in ledger.timers if epoch(timer.due or "") <= now]
    return tuple(
        (_happening(timer, view), JobAction(timer.action)) for timer in sorted(ready, key=lambda t: t.due or "")
    )


def _happening(timer: HandledEvent, view: View) -> Happening:
    event, task, index, uid = (*timer.key.split("/"), "", "", "")[:4]
    pod = view.of(task).get(int(index)) if index else None
    return Happening(
        JobEvent(event),
        task,
        int(index) if index else -1,
        pod if pod and pod.uid == uid else None,
        since=epoch_or_none(timer.since) or 0.0,
        uid=uid,
        what=f"{event} of {f'pod {index} of ' if index else ''}{f'task {task}' if task else 'the Job'} lasted until {timer.due}",
    )


def fired(ledger: Ledger, happening: Happening) -> Ledger:
    """The ledger without the timer; that the group is Unknown stays marked, or it would be found and armed anew."""
    if happening.event is JobEvent.UNKNOWN:
        return ledger.with_handled(HandledEvent(key=happening.key, since=rfc3339(happening.since)))
    return ledger.without_handled(happening.key)


def reopened(ledger: Ledger, view: View) -> Ledger:
    """While a policy's timer runs for a failed pod, deleting that pod by hand runs it again (its success cancels the timer)."""
    for timer in ledger.timers:
        kind, task, index, _ = (*timer.key.split("/"), "", "", "")[:4]
        if kind == JobEvent.POD_FAILED and int(index) not in view.of(task):
            known = ledger.task(task)
            ledger = ledger.with_task(task, failed=known.failed - {int(index)}, created=known.created - {int(index)})
    return ledger


def pruned(ledger: Ledger, seen: JobSeen, view: View) -> Ledger:
    """Without the marks and timers whose cause is gone: the replacement runs, the group is known again, the pod is away."""
    uids = {pod.uid for pod in seen.pods}
    gone = [key for key, event in ledger.handled.items() if _is_over(event, ledger, seen, view, uids)]
    return ledger.without_handled(*gone) if gone else ledger


def _is_over(event: HandledEvent, ledger: Ledger, seen: JobSeen, view: View, uids: set[str]) -> bool:
    kind, task, index, uid = (*event.key.split("/"), "", "", "")[:4]
    if kind == JobEvent.UNKNOWN:
        group = current_group(seen.group, ledger)
        return group is None or group.status.phase is not PodGroupPhase.UNKNOWN
    if kind == JobEvent.TASK_COMPLETED:
        return not ledger.task(task).completed
    if kind == JobEvent.TASK_FAILED:
        return not ledger.task(task).gave_up
    if kind in (JobEvent.POD_FAILED, JobEvent.POD_EVICTED):
        pod = view.of(task).get(int(index))
        return pod is not None and pod.uid != uid and pod.alive and pod.phase is PodPhase.RUNNING
    return kind in (JobEvent.POD_PENDING, JobEvent.POD_RUNNING) and not event.due and uid not in uids


def pending(seen: JobSeen, view: View, ledger: Ledger, wanted: Wanted) -> Iterator[tuple[float, Happening, JobAction]]:
    """(due, happening, action) of every pod that waits to run and that a policy's patience with is limited."""
    for task in wanted.tasks if speaks_of(wanted, JobEvent.POD_PENDING) else ():
        for pod in view.of(task.name).values():
            happening = _is_pending(pod)
            answer = reaction(wanted, happening)
            if pod.alive and pod.phase is PodPhase.PENDING and answer and happening.key not in ledger.handled:
                yield _at_latest(pod.created) + answer.delay, happening, answer.action


def _is_pending(pod: PodSeen) -> Happening:
    what = f"pod {pod.name} is pending since {rfc3339(pod.created)}"
    return Happening(JobEvent.POD_PENDING, pod.task, pod.index, pod, since=pod.created, what=what)


def next_due(seen: JobSeen, view: View, ledger: Ledger, wanted: Wanted) -> float | None:
    """When the next deadline falls, epoch seconds."""
    times = [epoch(timer.due or "") for timer in ledger.timers]
    times += [at for at, _, _ in pending(seen, view, ledger, wanted)]
    return min(times, default=None)
