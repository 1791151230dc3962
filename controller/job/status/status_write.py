"""Whether the status is written now, and with which reason.

Counters of a Job may change many times a second; a status that differs in nothing else is held back for a moment.
"""

import msgspec

from controller.job import reasons
from controller.job.children.children import Children
from controller.job.model.observed import JobObservation
from controller.job.phase.snapshot import JobSnapshot
from controller.job.status import job_status
from controller.job.status.conditions import state_reason
from shared.model.job_status import JobStatus
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.policy.quota.places import PlaceState


def with_reason(snapshot: JobSnapshot, made: Children | None) -> JobSnapshot:
    reason, message = state_reason(snapshot, made.blocker if made else None)
    return msgspec.structs.replace(snapshot, record=snapshot.record.replace(reason=reason, message=message))


def with_place(snapshot: JobSnapshot) -> JobSnapshot:
    """The snapshot whose reason says whether the Job waits for a place in a quota.

    Until the stored status says that the Job has one, nothing is created for it: a new process of the controller counts
    places by what is stored.
    """
    record, place = snapshot.record, snapshot.observed.place
    if place is not None and place.waits and snapshot.lacks_place:
        record = record.replace(reason=reasons.QUOTA_EXCEEDED, message=place.message)
    elif record.reason == reasons.QUOTA_EXCEEDED and record.phase is JobPhase.RESTARTING:
        record = record.replace(reason=reasons.RESUMED, message="")
    return msgspec.structs.replace(snapshot, record=record)


def needs_next_pass(snapshot: JobSnapshot) -> bool:
    """Whether to reconcile again as soon as the status is written: the Job may have a place then."""
    place = snapshot.observed.place
    return snapshot.lacks_place and place is not None and place.state is not PlaceState.HELD


def changed(observed: JobObservation, snapshot: JobSnapshot) -> Body | None:
    """The new status, or None when it equals the stored one."""
    built = job_status.build(snapshot)
    return None if job_status.same(observed.job.status, built) else job_status.dumped(built)


def hold_back(observed: JobObservation, snapshot: JobSnapshot, made: Children, written: object) -> float:
    """Seconds to hold back a status that differs in counters only; 0 when deletions depend on it.

    The first Pending may wait too: when pods start soon, one write is saved.
    """
    if written is None or observed.wrote_ago is None or made.cleanup or not observed.may_create:
        return 0.0
    stored: JobStatus = observed.job.status
    beginning = stored.state.phase is None and snapshot.record.phase is JobPhase.PENDING and not made.blocker
    if not beginning and not job_status.only_counts_differ(stored, job_status.build(snapshot)):
        return 0.0
    return max(0.0, observed.settings.count_seconds - observed.wrote_ago)
