"""Kubernetes events about the state of a Job: one for each thing that a user should look at, not one for each pass.

Events about pods and the PodGroup are marked in the record and repeated only after a restart. Events about what blocks
the Job follow from the stored reason: one whenever the Job enters it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from controller.decision import Note
from controller.job import reasons
from controller.job.children.children import Children
from controller.job.model.pods_by_role import STOPPED
from controller.job.model.problems import noted, problems
from controller.job.model.record import JobRecord
from controller.job.phase.snapshot import JobSnapshot
from controller.job.status.conditions import gang_message
from shared.model.job_status import HandledEvent, JobState
from shared.model.phases import JobPhase
from shared.timestamp import rfc3339

_WAITING_KEY: Final = f"Reason/{reasons.WAITING_FOR_PODGROUP}"


def marked(snapshot: JobSnapshot) -> tuple[JobSnapshot, tuple[Note, ...]]:
    """Events about the pods' problems and about what the PodGroup waits for, and the snapshot in which they are marked."""
    record = snapshot.record
    if record.phase in STOPPED:
        return snapshot, ()
    record, notes = noted(record, problems(snapshot.by_role), snapshot.observed.now)
    record, waiting = _gang(record, gang_message(snapshot), snapshot.observed.now)
    return msgspec.structs.replace(snapshot, record=record), (*notes, *waiting)


def _gang(record: JobRecord, message: str, now: float) -> tuple[JobRecord, tuple[Note, ...]]:
    if not message or _WAITING_KEY in record.handled:
        return record, ()
    note = Note(reasons.WAITING_FOR_PODGROUP, message, waits=True)
    return record.with_handled(HandledEvent(key=_WAITING_KEY, since=rfc3339(now))), (note,)


def place_notes(before: JobState, record: JobRecord) -> Iterator[Note]:
    """The events of a Job that begins to wait for a place in a quota, or has got one."""
    was, now = before.reason == reasons.QUOTA_EXCEEDED, record.reason == reasons.QUOTA_EXCEEDED
    if now and record.message and not (was and before.message):
        yield Note(reasons.QUOTA_EXCEEDED, record.message, waits=True)
    elif was and not now and record.phase not in STOPPED:
        yield Note(reasons.QUOTA_FREE, "the quota has room: the Job starts")


def entered(snapshot: JobSnapshot, made: Children) -> tuple[Note, ...]:
    """The event of a Job that enters a state in which it is blocked."""
    record, stored = snapshot.record, snapshot.observed.job.status.state
    if record.phase not in (JobPhase.PENDING, JobPhase.RUNNING):
        return ()
    if (made.blocker is None and record.reason != reasons.NO_REPLICAS) or record.reason == stored.reason:
        return ()
    kind = "Normal" if record.reason == reasons.WAITING_FOR_DELETION else "Warning"
    return (Note(record.reason, record.message, kind, waits=True),)
