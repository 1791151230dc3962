"""Whether a Job has ended: its goal is met, or it cannot be met any more.

Volcano's rules are in docs/design/volcano-behaviour.md, section 3.6. A Job whose goal is out of reach fails at once
(docs/design/decisions.md, row 14).
"""

from collections.abc import Mapping

import msgspec

from controller.job import reasons
from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.pod_counts import JobPodCounts, TaskPodCounts, total
from controller.job.model.record import JobRecord
from controller.job.react.policies import events_of
from shared.codec.plural import number_of, verb
from shared.model.phases import JobEvent, JobPhase


class JobOutcome(msgspec.Struct, frozen=True):
    """The phase in which the Job ends, with reason and message."""

    phase: JobPhase
    reason: str
    message: str


def outcome(
    record: JobRecord, counts: JobPodCounts, unreachable: Mapping[str, str], wanted: EffectiveSpec
) -> JobOutcome | None:
    """None while the Job can continue. `unreachable`: tasks that will never start -> the failed task that is the
    cause."""
    succeeded = total(counts, "succeeded")
    if not wanted.replicas:
        return None
    if wanted.min_success is not None and succeeded >= wanted.min_success:
        enough = f"{wanted.min_success} {verb(wanted.min_success, 'is', 'are')} enough"
        message = f"{number_of(succeeded, 'pod')} succeeded, {enough} (minSuccess)"
        return JobOutcome(JobPhase.COMPLETED, reasons.MIN_SUCCESS, message)
    all_ended = all(_has_ended(task, counts, unreachable) for task in wanted.tasks)
    fault = _fault(record, counts, unreachable, wanted)
    if fault is None and all_ended and unreachable:
        fault = _dependency_failed(unreachable)
    if fault is None:
        message = f"{succeeded} of {number_of(wanted.replicas, 'pod')} succeeded"
        return JobOutcome(JobPhase.COMPLETED, reasons.COMPLETED, message) if all_ended else None
    if record.timers or (not all_ended and _may_complete_by_policy(record, counts, unreachable, wanted)):
        return None
    return fault


def _has_ended(task: Task, counts: JobPodCounts, unreachable: Mapping[str, str]) -> bool:
    count = counts[task.name]
    return task.name in unreachable or count.succeeded + count.failed >= task.replicas


def _possible(task: Task, counts: JobPodCounts, unreachable: Mapping[str, str]) -> int:
    """The most pods of the task that can still succeed."""
    return counts[task.name].succeeded if task.name in unreachable else task.replicas - counts[task.name].failed


def _fault(
    record: JobRecord, counts: JobPodCounts, unreachable: Mapping[str, str], wanted: EffectiveSpec
) -> JobOutcome | None:
    """Why the goal is out of reach, if it is."""
    best = sum(_possible(task, counts, unreachable) for task in wanted.tasks)
    failed = total(counts, "failed")
    if wanted.min_success is not None:
        if best >= wanted.min_success:
            return None
        message = f"{number_of(failed, 'pod')} failed; at most {best} can succeed, minSuccess is {wanted.min_success}"
        return (
            _dependency_failed(unreachable)
            if unreachable
            else JobOutcome(JobPhase.FAILED, reasons.NO_MIN_SUCCESS, message)
        )
    short = next((task for task in wanted.tasks if _possible(task, counts, unreachable) < task.minimum), None)
    if best >= wanted.min_available and (short is None or not wanted.every_task_counts):
        return None
    if unreachable:
        return _dependency_failed(unreachable)
    if short is not None and wanted.every_task_counts:
        return _task_failed(short, counts[short.name], record)
    message = (
        f"{failed} of {number_of(wanted.replicas, 'pod')} failed, {wanted.min_available} must succeed (minAvailable)"
    )
    return JobOutcome(JobPhase.FAILED, reasons.NO_MIN_AVAILABLE, message)


def _task_failed(task: Task, count: TaskPodCounts, record: JobRecord) -> JobOutcome:
    """Too few pods of the task can succeed. If its restarts are used up, that is the reason given."""
    message = f"{count.failed} of {number_of(task.replicas, 'pod')} of task {task.name} failed, {task.minimum} must succeed (minAvailable)"
    if 0 < task.max_retry <= record.task(task.name).retries:
        return JobOutcome(
            JobPhase.FAILED,
            reasons.MAX_RETRY_EXCEEDED,
            f"{message}; its {task.restarts_used_up()}",
        )
    return JobOutcome(JobPhase.FAILED, reasons.NO_MIN_AVAILABLE, message)


def _dependency_failed(unreachable: Mapping[str, str]) -> JobOutcome:
    causes = ", ".join(sorted(set(unreachable.values())))
    message = f"task {causes} failed, so these never start: {', '.join(sorted(unreachable))}"
    return JobOutcome(JobPhase.FAILED, reasons.DEPENDENCY_FAILED, message)


def _may_complete_by_policy(
    record: JobRecord, counts: JobPodCounts, unreachable: Mapping[str, str], wanted: EffectiveSpec
) -> bool:
    """Whether a policy may still act on a task that can complete. The outcome is not known until then."""
    for task in wanted.tasks:
        listening = any(
            JobEvent.TASK_COMPLETED in events_of(policy) for policy in (*task.spec.policies, *wanted.policies)
        )
        able = task.replicas and not counts[task.name].failed and task.name not in unreachable
        if listening and able and not record.task(task.name).completed:
            return True
    return False
