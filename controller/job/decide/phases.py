"""Where the Job stands by the counts alone, once policies and Commands have had their say."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from controller.job.decide import completion
from controller.job.decide.defaults import Task, Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.pod_counts import Tally, total
from controller.job.observe.pods_by_role import STOPPED, View
from controller.job.react.transitions import ARRIVES
from shared.model.job_status import JobCondition
from shared.model.phases import JobPhase
from shared.timestamp import rfc3339


class Standing(msgspec.Struct, frozen=True):
    """What the rules look at. `lost`: tasks that will never start."""

    counts: Tally
    view: View
    lost: Mapping[str, str]
    wanted: Wanted


class Step(msgspec.Struct, frozen=True):
    """The next phase. Reasons of Pending and Running are told by `why`, since they change while the phase stays."""

    phase: JobPhase
    reason: str = ""
    message: str = ""


def settled(ledger: Ledger, standing: Standing) -> tuple[Step, ...]:
    """The phases the Job goes through now, in order; empty when it stays where it is."""
    steps: list[Step] = []
    phase = ledger.phase
    for _ in JobPhase:
        step = _RULES[phase](ledger, standing) if phase in _RULES else None
        if step is None or step.phase in {taken.phase for taken in steps}:
            break
        steps.append(step)
        phase = step.phase
    return tuple(steps)


def _end(ledger: Ledger, standing: Standing) -> Step | None:
    ended = completion.end(ledger, standing.counts, standing.lost, standing.wanted)
    return Step(ended.phase, ended.reason, ended.message) if ended else None


def _pending(ledger: Ledger, standing: Standing) -> Step | None:
    roots = first_tasks(standing.wanted)
    there = _available(roots, standing.counts)
    if there and there >= standing.wanted.minimum(roots):
        return Step(JobPhase.RUNNING)
    return _end(ledger, standing)


def _running(ledger: Ledger, standing: Standing) -> Step | None:
    """Back to Pending when too few of the first tasks' pods are there; later tasks start while the Job is Running."""
    if ended := _end(ledger, standing):
        return ended
    roots = first_tasks(standing.wanted)
    counts = [standing.counts[task.name] for task in roots]
    waiting = sum(count.pending + len(count.missing) for count in counts)
    if waiting > sum(task.replicas for task in roots) - standing.wanted.minimum(roots):
        return Step(JobPhase.PENDING)
    return None


def _restarting(ledger: Ledger, standing: Standing) -> Step | None:
    """On to Pending once so few old pods are left that the minimum could start (volcano-behaviour.md 3.6)."""
    leaving = total(standing.counts, "terminating")
    replicas = standing.wanted.replicas
    if replicas - leaving >= min(standing.wanted.min_available, replicas):
        return Step(JobPhase.PENDING)
    return None


def _stopping(ledger: Ledger, standing: Standing) -> Step | None:
    if total(standing.counts, "terminating"):
        return None
    return Step(ARRIVES[ledger.phase], ledger.reason, ledger.message)


_RULES: Final[dict[JobPhase, Callable[[Ledger, Standing], Step | None]]] = {
    JobPhase.PENDING: _pending,
    JobPhase.RUNNING: _running,
    JobPhase.RESTARTING: _restarting,
    JobPhase.ABORTING: _stopping,
    JobPhase.COMPLETING: _stopping,
    JobPhase.TERMINATING: _stopping,
}


def first_tasks(wanted: Wanted) -> tuple[Task, ...]:
    """Tasks that wait for no other: whether the Job counts as running is judged by them."""
    return tuple(task for task in wanted.tasks if not task.needs)


def _available(tasks: tuple[Task, ...], counts: Tally) -> int:
    of = [counts[task.name] for task in tasks]
    return sum(count.running + count.succeeded + count.failed for count in of)


def entered(ledger: Ledger, steps: Iterable[Step], now: float) -> Ledger:
    """The ledger after going through `steps`: conditions keep one entry a phase, the latest last."""
    for step in steps:
        at = rfc3339(now)
        ledger = ledger.but(
            phase=step.phase,
            reason=step.reason,
            message=step.message,
            transition=at,
            conditions=with_condition(ledger.conditions, step.phase, at),
            started=ledger.started or (at if step.phase is JobPhase.RUNNING else None),
            ended=at if step.phase.finished else None,
            handled={} if step.phase in STOPPED else ledger.handled,
        )
    return ledger


def with_condition(conditions: tuple[JobCondition, ...], phase: JobPhase, at: str) -> tuple[JobCondition, ...]:
    kept = tuple(condition for condition in conditions if condition.status is not phase)
    return (*kept, JobCondition(status=phase, last_transition_time=at))
