"""Reads a Job as the child of a flow."""

from collections.abc import Iterable, Iterator

import msgspec

from controller.jobflow.children.parse.child import parse_child
from controller.jobflow.model.observed import ObservedChild, ObservedTask
from shared.kinds import JOB
from shared.model.job_status import JobStatus
from shared.model.types import Body
from shared.timestamp import epoch_or_none


def parse_job(body: Body) -> ObservedChild:
    """Parse a raw Job. A status that is not a valid JobStatus counts as empty, so such a Job has not ended."""
    status = _status(body.get("status") or {})
    child = parse_child(JOB, body)
    return msgspec.structs.replace(
        child,
        ended=status.state.phase is not None and status.state.phase.finished,
        ended_at=_ended_at(status, child.created),
        status=status,
        tasks=tuple(_tasks((body.get("spec") or {}).get("tasks") or ())),
    )


def _status(raw: Body) -> JobStatus:
    try:
        return msgspec.convert(raw, JobStatus)
    except msgspec.ValidationError:
        return JobStatus()


def _tasks(raw: Iterable[Body]) -> Iterator[ObservedTask]:
    for place, task in enumerate(raw):
        needed = task.get("minAvailable", task.get("replicas", 1))
        yield ObservedTask(task.get("name") or f"default{place}", max(needed if isinstance(needed, int) else 1, 1))


def _ended_at(status: JobStatus, created: str) -> str:
    """When a finished Job ended, as it says itself; Volcano's own Jobs have no completionTime."""
    if status.state.phase is None or not status.state.phase.finished:
        return ""
    candidates = (status.completion_time, status.state.last_transition_time, created)
    return next((time for time in candidates if time and epoch_or_none(time) is not None), "")
