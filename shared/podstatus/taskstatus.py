"""The status of a task (pod) in the ten states that Volcano's scheduler distinguishes, derived from the pod object."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class TaskStatus(StrEnum):
    """A pod's state between creation and end.

    Three states exist mainly inside a scheduler. Here Pipelined means that the pod waits for its nominated node
    (preemption), Allocated that the scheduler has chosen a node and prepares it, and Binding that the pod is reported as
    scheduled but has no node name yet.
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

    As in Volcano's scheduler, an ended pod keeps its result while it is being deleted, and a phase that Kubernetes does
    not define is Unknown. A pod without a status is Pending, because it was just created.
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
