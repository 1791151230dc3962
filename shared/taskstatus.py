"""A pod's status as people see it: the ten Task states of the seed page, from what the API shows of the pod."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class TaskStatus(StrEnum):
    """Where a pod stands between creation and its end.

    Three states live inside a scheduler and reach the API only in part: Pipelined is a nominated node that the pod
    still waits for (preemption), Allocated one that the scheduler chose and is preparing, Binding a pod reported as
    scheduled before its node name is there.
    """

    PENDING = "Pending"
    ALLOCATED = "Allocated"
    PIPELINED = "Pipelined"
    BINDING = "Binding"
    BOUND = "Bound"
    RUNNING = "Running"
    RELEASING = "Releasing"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


_ENDED: Final = {"Succeeded": TaskStatus.SUCCEEDED, "Failed": TaskStatus.FAILED, "Unknown": TaskStatus.UNKNOWN}
_LIVE: Final = ("Pending", "Running", "")


def task_status(pod: Mapping[str, Any]) -> TaskStatus:
    """The Task status of a raw pod.

    As in Volcano's scheduler an ended pod keeps its result while it is deleted, and a phase that Kubernetes does not
    define is Unknown. A pod without status is Pending: it was created just now.
    """
    status = pod.get("status") or {}
    phase = status.get("phase") or ""
    if phase not in _LIVE:
        return _ENDED.get(phase, TaskStatus.UNKNOWN)
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return TaskStatus.RELEASING
    if phase == "Running":
        return TaskStatus.RUNNING
    return TaskStatus.BOUND if (pod.get("spec") or {}).get("nodeName") else _unbound(status)


def _unbound(status: Mapping[str, Any]) -> TaskStatus:
    conditions = status.get("conditions") or ()
    scheduled: Mapping[str, Any] = next((c for c in conditions if c.get("type") == "PodScheduled"), {})
    if scheduled.get("status") == "True":
        return TaskStatus.BINDING
    if not status.get("nominatedNodeName"):
        return TaskStatus.PENDING
    return TaskStatus.PIPELINED if scheduled.get("reason") == "Unschedulable" else TaskStatus.ALLOCATED
