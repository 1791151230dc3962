"""The pods of a Job: their Task state, and what keeps them from running. Pure."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from shared.model.types import Body
from shared.names import TASK_INDEX, TASK_SPEC
from shared.podstatus.podproblem import pod_problem
from shared.podstatus.taskstatus import TaskStatus, task_status
from shared.timestamp import epoch_or_none


class PodRow(msgspec.Struct, frozen=True):
    """`state`: one of the ten Task states; `problem`: the reason of the kubelet, the scheduler or a container, and its
    words."""

    name: str
    task: str
    index: str
    state: str
    problem: str
    restarts: int
    node: str
    created: float | None


_FIRST = (TaskStatus.FAILED, TaskStatus.UNKNOWN)


def pod_rows(pods: Iterable[Body]) -> tuple[PodRow, ...]:
    """Pods with problems first; equal ones in the given order."""
    rows = [_row(pod) for pod in pods]
    return tuple(sorted(rows, key=lambda row: (row.state not in _FIRST, not row.problem)))


def state_counts(rows: Iterable[PodRow]) -> tuple[tuple[str, int], ...]:
    """`(("Running", 3), ...)` in the order of a pod's life."""
    found = Counter(row.state for row in rows)
    return tuple((str(state), found[state]) for state in TaskStatus if found[state])


def _row(pod: Body) -> PodRow:
    metadata, status = pod["metadata"], pod.get("status") or {}
    labels = metadata.get("labels") or {}
    containers = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    return PodRow(
        name=str(metadata["name"]),
        task=str(labels.get(TASK_SPEC) or ""),
        index=str(labels.get(TASK_INDEX) or ""),
        state=str(task_status(pod)),
        problem=str(pod_problem(pod) or ""),
        restarts=sum(int(each.get("restartCount") or 0) for each in containers),
        node=str((pod.get("spec") or {}).get("nodeName") or ""),
        created=epoch_or_none(metadata.get("creationTimestamp")),
    )
