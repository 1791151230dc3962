"""Reason and message of the phases that last: why the Job is Pending, and how far it is when Running."""

from typing import Final

from controller.job.decide.dependencies import tasks_with_pods
from controller.job.decide.phases import first_tasks
from controller.job.decide.snapshot import Situation
from controller.job.observe.pod_counts import total
from controller.job.observe.pods_by_role import current_group
from controller.job.react.refusals import Obstacle
from shared.model.phases import JobPhase, PodGroupPhase
from shared.model.podgroup import PodGroupCondition

NO_REPLICAS: Final = "NoReplicas"
_NOTHING: Final = "no task has replicas: no pod runs until some are set"


def why(now: Situation, obstacle: Obstacle | None) -> tuple[str, str]:
    """(reason, message) for status.state; other phases keep what they were entered with."""
    if now.ledger.phase not in (JobPhase.PENDING, JobPhase.RUNNING):
        return now.ledger.reason, now.ledger.message
    reason, message = _pending(now) if now.ledger.phase is JobPhase.PENDING else _running(now)
    if obstacle is None:
        return (reason, message) if now.wanted.replicas else (NO_REPLICAS, _NOTHING)
    return obstacle.reason, obstacle.message


def _pending(now: Situation) -> tuple[str, str]:
    group = current_group(now.seen.group, now.ledger)
    if group is None:
        return "WaitingForPodGroup", "the PodGroup is being created"
    if group.status.phase in (None, PodGroupPhase.PENDING):
        told = next((each.message for each in reversed(group.status.conditions) if each.status == "True"), "")
        return "WaitingForPodGroup", told or f"PodGroup {group.metadata.name} waits in queue {now.wanted.queue}"
    reason = "Inqueue" if group.status.phase is PodGroupPhase.INQUEUE else "PodsPending"
    needed = now.wanted.minimum(first_tasks(now.wanted))
    told = next((f"; {each.message}" for each in group.status.conditions if _is_stuck(each)), "")
    return reason, f"{total(now.counts, 'running')} pods run, {needed} are needed{_waiting(now)}{told}"


def _is_stuck(condition: PodGroupCondition) -> bool:
    """The scheduler cannot place pods that were let go."""
    return condition.type == "Unschedulable" and condition.status == "True" and bool(condition.message)


def _running(now: Situation) -> tuple[str, str]:
    counts = ((name, total(now.counts, name)) for name in ("running", "pending", "succeeded", "failed"))
    told = ", ".join(f"{count} {name}" for name, count in counts if count)
    return "PodsRunning", f"of {now.wanted.replicas} pods: {told or 'none yet'}{_waiting(now)}"


def _waiting(now: Situation) -> str:
    released = {task.name for task in tasks_with_pods(now.ledger, now.wanted)}
    held = [task.name for task in now.wanted.tasks if task.name not in released and task.name not in now.lost]
    return f"; waiting for other tasks: {', '.join(held)}" if held else ""
