"""Rows of the lists of JobFlows, Jobs and Queues, with the columns of vcctl (docs/design/volcano-behaviour.md, section
7). Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.duration import age
from shared.kube.client.reader import PrintedPage
from shared.model.types import Body
from shared.names import JOB_TYPE
from shared.timestamp import epoch_or_none

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
_NAMESPACE: Final = "NAMESPACE"
_ABSENT: Final = {"STATUS": "Pending", "RUNNING": "0", "FAILED": "0"}
_COUNTERS: Final = ("pending", "running", "succeeded", "failed", "unknown")


def flows(bodies: Iterable[Body], now: float, *, namespaced: bool, wide: bool) -> Table:
    """The printer columns of the CRD."""
    rows = []
    for body in bodies:
        status, metadata = body.get("status") or {}, body["metadata"]
        state, counts = status.get("state") or {}, status.get("counts") or {}
        row = (
            metadata["name"],
            state.get("phase") or "Pending",
            status.get("progress") or f"0/{len((body.get('spec') or {}).get('flows') or ())}",
            str(counts.get("running", 0)),
            str(counts.get("failed", 0)),
            age(epoch_or_none(metadata.get("creationTimestamp")), now),
        )
        more = (status.get("nextSummary") or "", state.get("reason") or "", status.get("duration") or "")
        rows.append((*row, *(more if wide else ())))
    return _with_namespaces(flow_heads(namespaced=False, wide=wide), rows, bodies, namespaced)


def printed_flows(page: PrintedPage, columns: Sequence[str], heads: Sequence[str]) -> list[tuple[str, ...]] | None:
    """The same rows from the columns that the API server prints. None where they lack something: the CRD has other
    columns, or a flow has no progress yet.
    """
    if not set(heads) <= {_NAMESPACE, *columns}:
        return None
    rows = []
    for row in page.rows:
        cells = dict(zip(columns, row.cells, strict=True))
        if not cells["PROGRESS"]:
            return None
        cells[_NAMESPACE] = row.object.metadata.namespace if row.object else ""
        rows.append(tuple(str(_ABSENT.get(head, "") if cells[head] is None else cells[head]) for head in heads))
    return rows


def flow_heads(*, namespaced: bool, wide: bool) -> tuple[str, ...]:
    return (
        *((_NAMESPACE,) if namespaced else ()),
        *("NAME", "STATUS", "PROGRESS", "RUNNING", "FAILED", "AGE"),
        *(("NEXT", "REASON", "DURATION") if wide else ()),
    )


def jobs(bodies: Sequence[Body], *, namespaced: bool, wide: bool) -> Table:
    """The columns of vcctl: Replicas is the sum over the tasks, Min is status.minAvailable."""
    heads = ("Name", "Creation", "Phase", "JobType", "Replicas", "Min", "Pending", "Running", "Succeeded", "Failed")
    rows = []
    for body in bodies:
        spec, status, metadata = body.get("spec") or {}, body.get("status") or {}, body["metadata"]
        row = (
            metadata["name"],
            str(metadata.get("creationTimestamp") or "")[:10],
            (status.get("state") or {}).get("phase") or "Pending",
            (metadata.get("labels") or {}).get(JOB_TYPE) or "Batch",
            str(sum(int(task.get("replicas") or 0) for task in spec.get("tasks") or ())),
            str(status.get("minAvailable", 0)),
            *(str(status.get(name, 0)) for name in _COUNTERS),
            str(status.get("retryCount", 0)),
        )
        rows.append((*row, *((spec.get("queue") or "", spec.get("schedulerName") or "") if wide else ())))
    heads = (*heads, "Unknown", "RetryCount", *(("Queue", "Scheduler") if wide else ()))
    return _with_namespaces(heads, rows, bodies, namespaced, "Namespace")


def queues(bodies: Iterable[Body], groups: Iterable[Body], *, wide: bool) -> Table:
    """The columns of vcctl, counted from PodGroups as vcctl does."""
    found = _groups_by_queue(groups)
    heads = ("Name", "Weight", "State", "Parent", "Inqueue", "Pending", "Running", "Unknown", "Completed")
    rows = []
    for body in bodies:
        spec, status, name = body.get("spec") or {}, body.get("status") or {}, body["metadata"]["name"]
        counts = found.get(name, Counter())
        row = (
            name,
            str(spec.get("weight") or 1),
            status.get("state") or "Open",
            spec.get("parent") or ("" if name == "root" else "root"),
            *(str(counts[phase]) for phase in ("Inqueue", "Pending", "Running", "Unknown", "Completed")),
        )
        rows.append((*row, *((_amounts(spec.get("capability")), _amounts(status.get("allocated"))) if wide else ())))
    return (*heads, *(("Capability", "Allocated") if wide else ())), rows


def _groups_by_queue(groups: Iterable[Body]) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for group in groups:
        queue = (group.get("spec") or {}).get("queue") or "default"
        found.setdefault(queue, Counter())[(group.get("status") or {}).get("phase") or "Pending"] += 1
    return found


def _amounts(resources: Body | None) -> str:
    return ",".join(f"{name}={amount}" for name, amount in sorted((resources or {}).items()))


def _with_namespaces(
    heads: tuple[str, ...],
    rows: list[tuple[str, ...]],
    bodies: Iterable[Body],
    namespaced: bool,
    head: str = _NAMESPACE,
) -> Table:
    if not namespaced:
        return heads, rows
    named = [(body["metadata"].get("namespace") or "", *row) for body, row in zip(bodies, rows, strict=True)]
    return (head, *heads), named
