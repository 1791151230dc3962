"""What an action changes in the record. Later passes delete the pods that the record names."""

from controller.job import reasons
from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.pod_counts import remember
from controller.job.model.pods_by_role import PodsByRole
from controller.job.model.record import JobRecord, TaskProgress
from controller.job.react.events import LifecycleEvent
from controller.job.react.transitions import TRANSITIONS, Budget, Transition
from shared.codec.plural import number_of, verb
from shared.model.phases import JobAction, JobPhase


def apply_action(
    action: JobAction, event: LifecycleEvent, reason: str, record: JobRecord, by_role: PodsByRole, wanted: EffectiveSpec
) -> JobRecord | None:
    """The record after `action`. The same record when the action has no effect in this phase; None when the task has no
    restart left.
    """
    transition = TRANSITIONS.get((record.phase, action))
    if transition is None:
        return record
    if transition.targeted:
        task = wanted.by_name.get(event.task)
        return _replace(action, event, reason, record, by_role, task) if task else record
    if transition.budget is Budget.JOB and record.retries >= wanted.max_retry:
        restarts = f"{number_of(wanted.max_retry, 'restart')} {verb(wanted.max_retry, 'is', 'are')}"
        message = f"{event.message}; {record.retries} of {restarts} used up (maxRetry of the Job)"
        return record.replace(phase=JobPhase.FAILED, reason=reasons.MAX_RETRY_EXCEEDED, message=message, handled={})
    return _whole(transition, action, event, reason, remember(by_role, record, wanted), wanted)


def _whole(
    transition: Transition,
    action: JobAction,
    event: LifecycleEvent,
    reason: str,
    record: JobRecord,
    wanted: EffectiveSpec,
) -> JobRecord:
    """The record after an action on the whole Job. Its new version separates the pods created so far from those to
    come.
    """
    retries = record.retries + (transition.budget is Budget.JOB)
    counted = f" (restart {retries} of {wanted.max_retry})" if transition.budget is Budget.JOB else ""
    tasks = record.tasks
    if transition.to is JobPhase.RESTARTING:
        tasks = {} if transition.forgets else {name: _kept(task) for name, task in tasks.items()}
    return record.replace(
        phase=transition.to,
        reason=reason,
        message=f"{event.message}: {action}{counted}",
        version=record.version + 1,
        retries=retries,
        tasks=tasks,
        handled={},
        active_since=None if action is JobAction.RESUME_JOB else record.active_since,
    )


def _kept(task: TaskProgress) -> TaskProgress:
    """What a resumed Job keeps: successes. What failed runs again, with all its restarts."""
    return TaskProgress(succeeded=task.succeeded, completed=task.completed)


def _replace(
    action: JobAction, event: LifecycleEvent, reason: str, record: JobRecord, by_role: PodsByRole, task: Task
) -> JobRecord | None:
    known = record.task(task.name)
    indexes = _target(action, event, task)
    if not indexes:
        return record
    if known.retries >= task.max_retry:
        return None
    pods = by_role.of(task.name)
    changed = record.with_task(
        task.name,
        retries=known.retries + 1,
        created=known.created - indexes,
        succeeded=known.succeeded - indexes,
        failed=known.failed - indexes,
        replacing=known.replacing | {pod.uid for index, pod in pods.items() if index in indexes},
        completed=known.completed and not known.succeeded & indexes,
        gave_up=False,
    )
    message = f"{event.message}: {action} (restart {known.retries + 1} of {task.max_retry} of task {task.name})"
    over = [timer.key for timer in record.timers if _concerns(timer.key, task.name, indexes)]
    return changed.without_handled(*over).replace(phase=JobPhase.RESTARTING, reason=reason, message=message)


def _target(action: JobAction, event: LifecycleEvent, task: Task) -> frozenset[int]:
    """The indexes to replace. A task without partitions counts as partitions of one pod."""
    everything = frozenset(range(task.replicas))
    if action is JobAction.RESTART_TASK:
        return everything
    if event.index < 0:
        return frozenset()
    partition = task.partition(event.index)
    if action is JobAction.RESTART_PARTITION and partition is not None:
        return frozenset(index for index in everything if task.partition(index) == partition)
    return frozenset({event.index})


def _concerns(key: str, task: str, indexes: frozenset[int]) -> bool:
    """Whether a timer is about something that a targeted restart has handled."""
    _, of_task, index = (*key.split("/"), "", "")[:3]
    return of_task == task and (not index or int(index) in indexes)
