"""Task `dependsOn`: which tasks may have pods, and which never will (decisions rows 1-3)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from controller.job.decide.defaults import Task, Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.pod_counts import Tally, TaskTally
from controller.job.observe.pods_by_role import View
from controller.job.react.events import waiting
from shared import graph
from shared.model.phases import TaskCondition


class Standing(StrEnum):
    """How a named task stands to those that wait for it."""

    WAITED_FOR = "WaitedFor"
    MET = "Met"
    LOST = "Lost"  # what is waited for cannot come any more


def standing(task: Task, counts: TaskTally, condition: TaskCondition, deferred: bool) -> Standing:
    """`deferred`: a policy's timer runs for the task, so its failures are not final yet."""
    if task.replicas - counts.failed < task.minimum and not deferred:
        return Standing.LOST
    if condition is TaskCondition.READY:
        return Standing.MET if counts.ready >= task.minimum else Standing.WAITED_FOR
    ended = counts.succeeded + counts.failed >= task.replicas
    return Standing.MET if ended and counts.succeeded >= task.minimum else Standing.WAITED_FOR


def released(ledger: Ledger, view: View, counts: Tally, wanted: Wanted) -> Ledger:
    """The ledger with every task released whose dependencies are met; one released or with pods is never held back."""
    for task in wanted.tasks:
        known = ledger.task(task.name)
        if not known.released and (not task.needs or view.of(task.name) or _is_met(task, ledger, counts, wanted)):
            ledger = ledger.with_task(task.name, released=True)
    return ledger


def _is_met(task: Task, ledger: Ledger, counts: Tally, wanted: Wanted) -> bool:
    met = [_standing(name, task, ledger, counts, wanted) is Standing.MET for name in task.needs]
    return any(met) if task.any_of else all(met)


def _standing(name: str, task: Task, ledger: Ledger, counts: Tally, wanted: Wanted) -> Standing:
    needed = wanted.by_name.get(name)
    if needed is None:
        return Standing.LOST  # admission refuses it; without the webhook it can never be met
    return standing(needed, counts[name], task.condition, waiting(ledger, name))


def tasks_with_pods(ledger: Ledger, wanted: Wanted) -> tuple[Task, ...]:
    """Released tasks: the only ones that the gang's minimum counts."""
    return tuple(task for task in wanted.tasks if ledger.task(task.name).released)


def blocked(ledger: Ledger, counts: Tally, wanted: Wanted) -> Mapping[str, str]:
    """Tasks that will never start -> the task whose failure is the reason, directly or through others."""
    edges = {task.name: task.needs for task in wanted.tasks}
    lost: dict[str, str] = {}
    for name in graph.order(edges):
        task = wanted.by_name[name]
        if task.needs and not ledger.task(name).released:
            causes = [_cause(need, task, lost, ledger, counts, wanted) for need in task.needs]
            hopeless = all(causes) if task.any_of else any(causes)
            if hopeless:
                lost[name] = next(cause for cause in causes if cause)
    return lost


def _cause(need: str, task: Task, lost: Mapping[str, str], ledger: Ledger, counts: Tally, wanted: Wanted) -> str:
    if need in lost:
        return lost[need]
    return need if _standing(need, task, ledger, counts, wanted) is Standing.LOST else ""


DEPENDENCY_FAILED: Final = "DependencyFailed"
