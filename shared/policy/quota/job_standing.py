"""Whether a stored Job takes a place in a quota, waits for one, or does neither.

A place is held until the Job has ended and has no pods left. An aborted Job has none, and waits for a new one when it
is resumed; a restarted Job keeps its place. Jobs that another controller runs do not count, because nobody here could
hold them.
"""

from typing import Final

from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.names import JOB_CONTROLLER, MANAGED_BY, QUOTA_EXCEEDED, SUSPEND
from shared.policy.quota.standing import Standing, is_leaving
from shared.policy.raw import mapping

STARTED: Final = (JobPhase.PENDING, JobPhase.RUNNING, JobPhase.RESTARTING)
"""The phases of a Job that may create pods."""
_FINISHED: Final = tuple(phase for phase in JobPhase if phase.finished)
_UNFINISHED: Final = ("pending", "running", "unknown", "terminating")  # counts of pods


def job_standing(job: Body) -> Standing:
    """The standing of a stored Job by what its status says. Jobs that are being deleted are idle."""
    if job_has_ended(job):
        return Standing.IDLE
    status = mapping(job.get("status"))
    state = mapping(status.get("state"))
    phase, suspended = state.get("phase"), job_rests(job)
    if mapping(job.get("metadata")).get("deletionTimestamp"):
        return Standing.HOLDS if _has_pods(status) else Standing.IDLE
    if not phase:
        return Standing.IDLE if suspended else Standing.WAITS
    if phase in STARTED:
        return Standing.WAITS if state.get("reason") == QUOTA_EXCEEDED else Standing.HOLDS
    if _has_pods(status):
        return Standing.HOLDS
    resumed = phase == JobPhase.ABORTED and status.get("suspended") is True and not suspended
    return Standing.WAITS if resumed else Standing.IDLE


def job_has_ended(job: Body) -> bool:
    """Whether a Job will never need a place: it has finished and has no pods, is being deleted and no finalizer keeps it,
    or is run by others."""
    if is_leaving(job) or is_run_by_others(job):
        return True
    status = mapping(job.get("status"))
    return mapping(status.get("state")).get("phase") in _FINISHED and not _has_pods(status)


def job_rests(job: Body) -> bool:
    """Whether nothing of a new Job would run: its user suspends it, or another controller runs it."""
    annotations = mapping(mapping(job.get("metadata")).get("annotations"))
    suspended = mapping(job.get("spec")).get("suspend") is True or annotations.get(SUSPEND) == "true"
    return suspended or is_run_by_others(job)


def is_run_by_others(job: Body) -> bool:
    """Whether another controller runs the Job."""
    annotations = mapping(mapping(job.get("metadata")).get("annotations"))
    runner = mapping(job.get("spec")).get("managedBy") or annotations.get(MANAGED_BY)
    return runner not in (None, "", JOB_CONTROLLER)


def job_part(job: Body) -> Body:
    """Spec and status of a Job reduced to what `job_standing` reads, for caches. Pods are counted as some or none."""
    status = mapping(job.get("status"))
    state = mapping(status.get("state"))
    held = {"reason": QUOTA_EXCEEDED} if state.get("reason") == QUOTA_EXCEEDED else {}
    found: Body = {"state": {"phase": state.get("phase"), **held}}
    if status.get("suspended") is True:
        found["suspended"] = True
    if _has_pods(status):
        found |= {"terminating": 1, "tasks": [{}]}
    runner = {"managedBy": "others"} if is_run_by_others(job) else {}
    suspended = {"suspend": True} if job_rests(job) else {}
    return {"spec": {**runner, **suspended}, "status": found}


def _has_pods(status: Body) -> bool:
    """Whether pods of it have not finished. The counts of a Job that another controller has ended may be old."""
    ended_here = mapping(status.get("state")).get("phase") not in _FINISHED or bool(status.get("tasks"))
    return ended_here and any(status.get(field) for field in _UNFINISHED)
