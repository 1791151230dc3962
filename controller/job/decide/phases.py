"""Where the Job stands by the counts alone, once policies and Commands have had their say."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from controller.job.decide import completion
from controller.job.decide.defaults import EffectiveSpec, Task
from controller.job.decide.record import JobRecord
from controller.job.observe.pod_counts import JobPodCounts, total
from controller.job.observe.pods_by_role import STOPPED, PodsByRole
from controller.job.react.transitions import FINAL_PHASE
from shared.model.job_status import JobCondition
from shared.model.phases import JobPhase
from shared.timestamp import rfc3339


class PhaseInput(msgspec.Struct, frozen=True):
    """What the rules look at. `lost`: tasks that will never start."""

    counts: JobPodCounts
    by_role: PodsByRole
    unreachable: Mapping[str, str]
    wanted: EffectiveSpec


class PhaseChange(msgspec.Struct, frozen=True):
    """The next phase. Reasons of Pending and Running are told by `why`, since they change while the phase stays."""

    phase: JobPhase
    reason: str = ""
    message: str = ""


def phase_changes(record: JobRecord, given: PhaseInput) -> tuple[PhaseChange, ...]:
    """The phases the Job goes through now, in order; empty when it stays where it is."""
    changes: list[PhaseChange] = []
    phase = record.phase
    for _ in JobPhase:
        change = _RULES[phase](record, given) if phase in _RULES else None
        if change is None or change.phase in {taken.phase for taken in changes}:
            break
        changes.append(change)
        phase = change.phase
    return tuple(changes)


def _end(record: JobRecord, given: PhaseInput) -> PhaseChange | None:
    ended = completion.outcome(record, given.counts, given.unreachable, given.wanted)
    return PhaseChange(ended.phase, ended.reason, ended.message) if ended else None


def _pending(record: JobRecord, given: PhaseInput) -> PhaseChange | None:
    roots = first_tasks(given.wanted)
    there = _available(roots, given.counts)
    if there and there >= given.wanted.minimum(roots):
        return PhaseChange(JobPhase.RUNNING)
    return _end(record, given)


def _running(record: JobRecord, given: PhaseInput) -> PhaseChange | None:
    """Back to Pending when too few of the first tasks' pods are there; later tasks start while the Job is Running."""
    if ended := _end(record, given):
        return ended
    roots = first_tasks(given.wanted)
    counts = [given.counts[task.name] for task in roots]
    waiting = sum(count.pending + len(count.missing) for count in counts)
    if waiting > sum(task.replicas for task in roots) - given.wanted.minimum(roots):
        return PhaseChange(JobPhase.PENDING)
    return None


def _restarting(record: JobRecord, given: PhaseInput) -> PhaseChange | None:
    """On to Pending once so few old pods are left that the minimum could start (volcano-behaviour.md 3.6)."""
    leaving = total(given.counts, "terminating")
    replicas = given.wanted.replicas
    if replicas - leaving >= min(given.wanted.min_available, replicas):
        return PhaseChange(JobPhase.PENDING)
    return None


def _stopping(record: JobRecord, given: PhaseInput) -> PhaseChange | None:
    if total(given.counts, "terminating"):
        return None
    return PhaseChange(FINAL_PHASE[record.phase], record.reason, record.message)


_RULES: Final[dict[JobPhase, Callable[[JobRecord, PhaseInput], PhaseChange | None]]] = {
    JobPhase.PENDING: _pending,
    JobPhase.RUNNING: _running,
    JobPhase.RESTARTING: _restarting,
    JobPhase.ABORTING: _stopping,
    JobPhase.COMPLETING: _stopping,
    JobPhase.TERMINATING: _stopping,
}


def first_tasks(wanted: EffectiveSpec) -> tuple[Task, ...]:
    """Tasks that wait for no other: whether the Job counts as running is judged by them."""
    return tuple(task for task in wanted.tasks if not task.needs)


def _available(tasks: tuple[Task, ...], counts: JobPodCounts) -> int:
    of = [counts[task.name] for task in tasks]
    return sum(count.running + count.succeeded + count.failed for count in of)


def with_phases(record: JobRecord, changes: Iterable[PhaseChange], now: float) -> JobRecord:
    """The record after going through `steps`: conditions keep one entry a phase, the latest last."""
    for change in changes:
        at = rfc3339(now)
        record = record.replace(
            phase=change.phase,
            reason=change.reason,
            message=change.message,
            transition=at,
            conditions=with_condition(record.conditions, change.phase, at),
            started=record.started or (at if change.phase is JobPhase.RUNNING else None),
            ended=at if change.phase.finished else None,
            handled={} if change.phase in STOPPED else record.handled,
        )
    return record


def with_condition(conditions: tuple[JobCondition, ...], phase: JobPhase, at: str) -> tuple[JobCondition, ...]:
    kept = tuple(condition for condition in conditions if condition.status is not phase)
    return (*kept, JobCondition(status=phase, last_transition_time=at))
