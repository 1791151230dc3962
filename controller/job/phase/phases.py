"""The phases that follow from pod counts alone, after policies and Commands."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.pod_counts import JobPodCounts, total
from controller.job.model.pods_by_role import STOPPED, PodsByRole
from controller.job.model.problems import failure
from controller.job.model.record import JobRecord
from controller.job.phase import completion
from controller.job.react.transitions import FINAL_PHASE
from shared.model.job_status import JobCondition
from shared.model.phases import JobPhase
from shared.timestamp import rfc3339


class PhaseInput(msgspec.Struct, frozen=True):
    """What the rules look at. `unreachable`: tasks that will never start; `lacks_place`: see JobSnapshot."""

    counts: JobPodCounts
    by_role: PodsByRole
    unreachable: Mapping[str, str]
    wanted: EffectiveSpec
    lacks_place: bool = False


class PhaseChange(msgspec.Struct, frozen=True):
    """The next phase. Reasons of Pending and Running come from `state_reason`, since they change while the phase stays."""

    phase: JobPhase
    reason: str = ""
    message: str = ""


def phase_changes(record: JobRecord, state: PhaseInput) -> tuple[PhaseChange, ...]:
    """The phases that the Job passes through now, in order; empty when its phase stays.

    A Job without a place in its quotas is Pending, also after it was resumed.
    """
    if state.lacks_place:
        return () if record.phase is JobPhase.PENDING else (PhaseChange(JobPhase.PENDING),)
    changes: list[PhaseChange] = []
    phase = record.phase
    for _ in JobPhase:
        change = _RULES[phase](record, state) if phase in _RULES else None
        if change is None or change.phase in {taken.phase for taken in changes}:
            break
        changes.append(change)
        phase = change.phase
    return tuple(changes)


def _end(record: JobRecord, state: PhaseInput) -> PhaseChange | None:
    ended = completion.outcome(record, state.counts, state.unreachable, state.wanted)
    if ended is None:
        return None
    cause = failure(state.by_role) if ended.phase is JobPhase.FAILED else ""
    return PhaseChange(ended.phase, ended.reason, ended.message + cause)


def _pending(record: JobRecord, state: PhaseInput) -> PhaseChange | None:
    roots = first_tasks(state.wanted)
    there = _available(roots, state.counts)
    if there and there >= state.wanted.minimum(roots):
        return PhaseChange(JobPhase.RUNNING)
    return _end(record, state)


def _running(record: JobRecord, state: PhaseInput) -> PhaseChange | None:
    """Back to Pending when too few pods of the first tasks exist. Later tasks start while the Job is Running."""
    if ended := _end(record, state):
        return ended
    roots = first_tasks(state.wanted)
    counts = [state.counts[task.name] for task in roots]
    waiting = sum(count.pending + len(count.missing) for count in counts)
    if waiting > sum(task.replicas for task in roots) - state.wanted.minimum(roots):
        return PhaseChange(JobPhase.PENDING)
    return None


def _restarting(record: JobRecord, state: PhaseInput) -> PhaseChange | None:
    """On to Pending once few enough old pods are left for the minimum to start (docs/design/volcano-behaviour.md,
    section 3.6).
    """
    leaving = total(state.counts, "terminating")
    replicas = state.wanted.replicas
    if replicas - leaving >= min(state.wanted.min_available, replicas):
        return PhaseChange(JobPhase.PENDING)
    return None


def _stopping(record: JobRecord, state: PhaseInput) -> PhaseChange | None:
    if total(state.counts, "terminating"):
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
    """Tasks without dependencies. They decide whether the Job counts as running."""
    return tuple(task for task in wanted.tasks if not task.needs)


def _available(tasks: tuple[Task, ...], counts: JobPodCounts) -> int:
    of = [counts[task.name] for task in tasks]
    return sum(count.running + count.succeeded + count.failed for count in of)


def with_phases(record: JobRecord, changes: Iterable[PhaseChange], now: float) -> JobRecord:
    """The record after `changes`. Conditions keep one entry for each phase, the latest last."""
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
