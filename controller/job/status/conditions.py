"""Reason and message of Pending and Running: why a Job is not running, or the progress of a running Job."""

from typing import Final

from controller.job import reasons
from controller.job.model.pod_counts import total
from controller.job.model.pods_by_role import current_group
from controller.job.model.problems import (
    next_slow_pod,
    problems,
    problems_text,
    slow_ends_text,
    slow_starts_text,
    without_slow_ends,
)
from controller.job.phase.dependencies import tasks_with_pods
from controller.job.phase.phases import first_tasks
from controller.job.phase.snapshot import JobSnapshot
from controller.job.react.refusals import Blocker
from shared.codec.plural import number_of, verb
from shared.model.phases import JobPhase, PodGroupPhase
from shared.model.podgroup import PodGroupCondition

_COUNTED: Final = {
    "running": "running",
    "pending": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "terminating": "being deleted",
}
_NOTHING: Final = "no task has replicas: no pod runs until some are set"


def state_reason(snapshot: JobSnapshot, blocker: Blocker | None) -> tuple[str, str]:
    """(reason, message) for status.state. Other phases keep the reason with which they were entered."""
    slow = slow_ends_text(snapshot.by_role, snapshot.observed.now)
    if snapshot.record.phase not in (JobPhase.PENDING, JobPhase.RUNNING):
        return snapshot.record.reason, without_slow_ends(snapshot.record.message) + slow
    reason, message = _pending(snapshot) if snapshot.record.phase is JobPhase.PENDING else _running(snapshot)
    if blocker is None:
        return (reason, message + slow) if snapshot.wanted.replicas else (reasons.NO_REPLICAS, _NOTHING + slow)
    return blocker.reason, blocker.message + slow


def next_change(snapshot: JobSnapshot) -> float | None:
    """When the message changes although nothing else does, epoch seconds."""
    starts = snapshot.record.phase is JobPhase.PENDING
    return next_slow_pod(snapshot.by_role, snapshot.observed.now, starts=starts)


def _pending(snapshot: JobSnapshot) -> tuple[str, str]:
    group = current_group(snapshot.observed.group, snapshot.record)
    if group is None:
        return reasons.WAITING_FOR_PODGROUP, "the PodGroup is being created"
    if group.status.phase in (None, PodGroupPhase.PENDING):
        text = gang_message(snapshot)
        return (
            reasons.WAITING_FOR_PODGROUP,
            text or f"PodGroup {group.metadata.name} waits in queue {snapshot.wanted.queue}",
        )
    reason = reasons.INQUEUE if group.status.phase is PodGroupPhase.INQUEUE else reasons.PODS_PENDING
    needed = snapshot.wanted.minimum(first_tasks(snapshot.wanted))
    text = next((f"; {each.message}" for each in group.status.conditions if _is_stuck(each)), "")
    trouble = problems_text(problems(snapshot.by_role), scheduler=not text)
    trouble += slow_starts_text(snapshot.by_role, snapshot.observed.now)
    running = total(snapshot.counts, "running")
    pods = f"{number_of(running, 'pod')} {verb(running, 'runs', 'run')}, {needed} {verb(needed, 'is', 'are')} needed"
    return reason, f"{pods}{_waiting(snapshot)}{text}{trouble}"


def gang_message(snapshot: JobSnapshot) -> str:
    """The message of the PodGroup's condition; empty if the group is admitted or has no message."""
    group = current_group(snapshot.observed.group, snapshot.record)
    if group is None or group.status.phase not in (None, PodGroupPhase.PENDING):
        return ""
    return next((each.message for each in reversed(group.status.conditions) if each.status == "True"), "")


def _is_stuck(condition: PodGroupCondition) -> bool:
    """The scheduler cannot place pods that were admitted, or pods that replace lost ones are not admitted."""
    return condition.type == "Unschedulable" and condition.status == "True" and bool(condition.message)


def _running(snapshot: JobSnapshot) -> tuple[str, str]:
    counts = ((words, total(snapshot.counts, name)) for name, words in _COUNTED.items())
    text = ", ".join(f"{count} {words}" for words, count in counts if count)
    trouble = problems_text(problems(snapshot.by_role), scheduler=True)
    pods = f"of {number_of(snapshot.wanted.replicas, 'pod')}: {text or 'none yet'}"
    return (
        reasons.POD_PROBLEM if trouble else reasons.PODS_RUNNING,
        f"{pods}{_waiting(snapshot)}{_gated(snapshot)}{trouble}",
    )


def _gated(snapshot: JobSnapshot) -> str:
    """Why pods of a running Job are not admitted, as the PodGroup says."""
    group = current_group(snapshot.observed.group, snapshot.record)
    gated = any(pod.gated for pods in snapshot.by_role.current.values() for pod in pods.values())
    if group is None or not gated:
        return ""
    return next((f"; {each.message}" for each in group.status.conditions if _is_about_pods(each)), "")


def _is_about_pods(condition: PodGroupCondition) -> bool:
    return condition.type == "Unschedulable" and bool(condition.message)


def _waiting(snapshot: JobSnapshot) -> str:
    released = {task.name for task in tasks_with_pods(snapshot.record, snapshot.wanted)}
    held = [
        task.name
        for task in snapshot.wanted.tasks
        if task.name not in released and task.name not in snapshot.unreachable
    ]
    return f"; waiting for other tasks: {', '.join(held)}" if held else ""
