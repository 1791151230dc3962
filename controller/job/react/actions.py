"""What an action does to the recorded state. Pods are deleted by later passes, out of what is recorded here."""

from controller.job.decide.defaults import Task, Wanted
from controller.job.decide.record import Ledger, TaskLedger
from controller.job.observe.pod_counts import remember
from controller.job.observe.pods_by_role import View
from controller.job.react.events import Happening
from controller.job.react.transitions import MOVES, Budget, Move
from shared.model.phases import JobAction, JobPhase

MAX_RETRY_EXCEEDED = "MaxRetryExceeded"


def act(
    action: JobAction, happening: Happening, reason: str, ledger: Ledger, view: View, wanted: Wanted
) -> Ledger | None:
    """The ledger after `action`; the same one when it means nothing in this phase; None when the task has no retry left."""
    move = MOVES.get((ledger.phase, action))
    if move is None:
        return ledger
    if move.targeted:
        task = wanted.by_name.get(happening.task)
        return _replace(action, happening, reason, ledger, view, task) if task else ledger
    if move.budget is Budget.JOB and ledger.retries >= wanted.max_retry:
        message = f"{happening.what}; {ledger.retries} of {wanted.max_retry} restarts are used up"
        return ledger.but(phase=JobPhase.FAILED, reason=MAX_RETRY_EXCEEDED, message=message, handled={})
    return _whole(move, action, happening, reason, remember(view, ledger, wanted), wanted)


def _whole(move: Move, action: JobAction, happening: Happening, reason: str, ledger: Ledger, wanted: Wanted) -> Ledger:
    """The whole Job: a new version, by which every pod made so far is told from those to come."""
    retries = ledger.retries + (move.budget is Budget.JOB)
    counted = f" (restart {retries} of {wanted.max_retry})" if move.budget is Budget.JOB else ""
    tasks = ledger.tasks
    if move.to is JobPhase.RESTARTING:
        tasks = {} if move.forgets else {name: _kept(task) for name, task in tasks.items()}
    return ledger.but(
        phase=move.to,
        reason=reason,
        message=f"{happening.what}: {action}{counted}",
        version=ledger.version + 1,
        retries=retries,
        tasks=tasks,
        handled={},
    )


def _kept(task: TaskLedger) -> TaskLedger:
    """What a resumed Job keeps: successes. What failed runs again, with all its retries."""
    return TaskLedger(succeeded=task.succeeded, completed=task.completed)


def _replace(
    action: JobAction, happening: Happening, reason: str, ledger: Ledger, view: View, task: Task
) -> Ledger | None:
    known = ledger.task(task.name)
    indexes = _target(action, happening, task)
    if not indexes:
        return ledger
    if known.retries >= task.max_retry:
        return None
    pods = view.of(task.name)
    changed = ledger.with_task(
        task.name,
        retries=known.retries + 1,
        created=known.created - indexes,
        succeeded=known.succeeded - indexes,
        failed=known.failed - indexes,
        replacing=known.replacing | {pod.uid for index, pod in pods.items() if index in indexes},
        completed=known.completed and not known.succeeded & indexes,
        gave_up=False,
    )
    message = f"{happening.what}: {action} (restart {known.retries + 1} of {task.max_retry} of task {task.name})"
    over = [timer.key for timer in ledger.timers if _concerns(timer.key, task.name, indexes)]
    return changed.without_handled(*over).but(phase=JobPhase.RESTARTING, reason=reason, message=message)


def _target(action: JobAction, happening: Happening, task: Task) -> frozenset[int]:
    """Indexes to replace; a task without partitions is taken as partitions of one pod."""
    everything = frozenset(range(task.replicas))
    if action is JobAction.RESTART_TASK:
        return everything
    if happening.index < 0:
        return frozenset()
    partition = task.partition(happening.index)
    if action is JobAction.RESTART_PARTITION and partition is not None:
        return frozenset(index for index in everything if task.partition(index) == partition)
    return frozenset({happening.index})


def _concerns(key: str, task: str, indexes: frozenset[int]) -> bool:
    """Whether a timer is about something that a targeted restart has dealt with."""
    _, of_task, index = (*key.split("/"), "", "")[:3]
    return of_task == task and (not index or int(index) in indexes)
