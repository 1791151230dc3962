"""The fields suspend and activeDeadlineSeconds of a Job. Only changes of `spec.suspend` have an effect: the effect of a
Command lasts until the opposite Command. The value that was acted on is
recorded, so that a restart of the controller does not repeat it.
"""

from controller.decision import Note
from controller.job import reasons
from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.job.model.pod_counts import JobPodCounts, total
from controller.job.model.pods_by_role import STOPPED, sort_by_role
from controller.job.model.record import JobRecord
from controller.job.react.actions import apply_action
from controller.job.react.events import LifecycleEvent
from controller.job.react.react import EventsResult
from shared.model.phases import JobAction, JobEvent, JobPhase
from shared.timestamp import epoch, rfc3339


def apply_lifetime(observed: JobObservation, record: JobRecord, wanted: EffectiveSpec) -> EventsResult:
    """Act on a changed spec.suspend, and on a deadline that is over."""
    if record.phase.finished:
        return EventsResult(record)
    if wanted.suspend != record.suspended:
        return _suspend(observed, record.replace(suspended=wanted.suspend), wanted)
    due = deadline(record, wanted)
    if due is None or observed.now < due:
        return EventsResult(record)
    message = f"the Job ran longer than {wanted.active_deadline} s (activeDeadlineSeconds)"
    failed = record.replace(phase=JobPhase.FAILED, reason=reasons.DEADLINE_EXCEEDED, message=message, handled={})
    return EventsResult(failed, True, (Note(reasons.DEADLINE_EXCEEDED, message, "Warning"),))


def _suspend(observed: JobObservation, record: JobRecord, wanted: EffectiveSpec) -> EventsResult:
    action, reason, message = JobAction.RESUME_JOB, reasons.RESUMED, "spec.suspend was cleared"
    if wanted.suspend:
        action, reason, message = JobAction.ABORT_JOB, reasons.SUSPENDED, "spec.suspend is set"
    event = LifecycleEvent(JobEvent.JOB_UPDATED, since=observed.now, message=message)
    pods = sort_by_role(observed.pods, record, wanted)
    changed = apply_action(action, event, reason, record, pods, wanted)
    if changed is None or changed is record:  # a Command was faster
        return EventsResult(record, True)
    return EventsResult(changed, True, (Note(reason, changed.message),))


def deadline(record: JobRecord, wanted: EffectiveSpec) -> float | None:
    """When activeDeadlineSeconds are over, in epoch seconds; None while no pod has run or the Job is stopped."""
    if wanted.active_deadline is None or record.active_since is None or record.phase in STOPPED:
        return None
    return epoch(record.active_since) + wanted.active_deadline


def with_active_since(record: JobRecord, counts: JobPodCounts, now: float) -> JobRecord:
    """The record with the time at which the first pod ran, since the Job was created or resumed."""
    if record.active_since is not None or record.phase in STOPPED:
        return record
    ran = any(total(counts, field) for field in ("running", "succeeded", "failed"))
    return record.replace(active_since=rfc3339(now)) if ran else record
