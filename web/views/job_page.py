"""Rows of the list of Jobs, and the head of a Job's page. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from shared.key import Key
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP
from shared.timestamp import epoch_or_none

_COUNTERS: Final = ("pending", "running", "succeeded", "failed", "terminating", "unknown")


class JobRow(msgspec.Struct, frozen=True, weakref=True):
    """One Job. `flow`: the JobFlow that owns it, or ''; `attempt`: 0 for the first; `iteration`: '' outside of loops;
    `pods`: by state, without zeros; `why`: reason and message of its phase."""

    key: Key
    phase: str
    why: str
    queue: str
    flow: str
    step: str
    iteration: str
    attempt: int
    pods: tuple[tuple[str, int], ...]
    replicas: int
    created: float | None
    started: float | None
    ended: float | None

    @property
    def namespace(self) -> str:
        return self.key.namespace

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def failed(self) -> bool:
        return self.phase in (JobPhase.FAILED, JobPhase.TERMINATED)


def job_row(body: Body) -> JobRow:
    metadata, spec, status = body.get("metadata") or {}, body.get("spec") or {}, body.get("status") or {}
    state, labels = status.get("state") or {}, metadata.get("labels") or {}
    owner: Body = next((each for each in metadata.get("ownerReferences") or () if each.get("kind") == "JobFlow"), {})
    phase = str(state.get("phase") or JobPhase.PENDING)
    attempt = str(labels.get(ATTEMPT) or "")
    return JobRow(
        key=Key(str(metadata.get("namespace") or ""), str(metadata.get("name") or "")),
        phase=phase,
        why=": ".join(str(each) for each in (state.get("reason"), state.get("message")) if each),
        queue=str(spec.get("queue") or ""),
        flow=str(owner.get("name") or ""),
        step=str(labels.get(STEP) or ""),
        iteration=str(labels.get(ITERATION) or ""),
        attempt=int(attempt) if attempt.isdecimal() else 0,
        pods=tuple((each, int(status[each])) for each in _COUNTERS if status.get(each)),
        replicas=sum(int(task.get("replicas") or 0) for task in spec.get("tasks") or ()),
        created=epoch_or_none(metadata.get("creationTimestamp")),
        started=epoch_or_none(status.get("startTime")),
        ended=_ended(phase, status, state),
    )


def _ended(phase: str, status: Body, state: Body) -> float | None:
    if phase not in (JobPhase.COMPLETED, JobPhase.FAILED, JobPhase.TERMINATED):
        return None
    return epoch_or_none(status.get("completionTime")) or epoch_or_none(state.get("lastTransitionTime"))


class JobFilter(msgspec.Struct, frozen=True):
    phase: str = ""
    name: str = ""
    queue: str = ""


def wanted_jobs(rows: Iterable[JobRow], wanted: JobFilter) -> list[JobRow]:
    """Newest first."""
    found = [
        row
        for row in rows
        if (not wanted.phase or row.phase == wanted.phase)
        and (not wanted.queue or row.queue == wanted.queue)
        and wanted.name.lower() in row.name.lower()
    ]
    found.sort(key=lambda row: (-(row.created or 0.0), row.namespace, row.name))
    return found
