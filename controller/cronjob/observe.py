"""Raw CronJobs and Jobs -> the input of controller.schedule. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from controller.decision import Child, Refusal
from controller.schedule.observed import (
    DEFAULT_FAILED_LIMIT,
    DEFAULT_SUCCESSFUL_LIMIT,
    RunState,
    ScheduledRun,
    ScheduleRules,
    ScheduleSeen,
    ScheduleState,
)
from controller.schedule.refusals import due_of_name, refused_names
from shared.codec.api_words import fault_text
from shared.cron import CronError, Timetable, ZoneError, parse, zone
from shared.kinds import JOB
from shared.model.phases import JobPhase
from shared.model.schedules.common import ConcurrencyPolicy, ObservedSchedule
from shared.model.schedules.cron_job import CronJob, CronJobSpec
from shared.model.types import Body
from shared.names import CRONJOB_SCHEDULED
from shared.timestamp import epoch_or_none

_ENDED: Final = {
    JobPhase.COMPLETED: RunState.SUCCEEDED,
    JobPhase.FAILED: RunState.FAILED,
    JobPhase.TERMINATED: RunState.FAILED,
}
_NOTHING: Final = Timetable(())


def observe(cron_job: CronJob, jobs: Iterable[Body], refusals: Mapping[Child, Refusal], now: float) -> ScheduleSeen:
    """The input of controller.schedule. `jobs`: the Jobs whose controller is this CronJob, by uid."""
    meta = cron_job.metadata
    created = int(epoch_or_none(meta.creation_timestamp) or now)
    rules = _rules(cron_job.spec, created)
    runs = tuple(_run(job) for job in jobs)
    return ScheduleSeen(
        uid=meta.uid,
        rules=rules,
        state=_state(cron_job, created, int(now)),
        runs=runs,
        refused=refused_names(JOB, refusals, now),
        name=meta.name,
    )


def _rules(spec: CronJobSpec, created: int) -> ScheduleRules:
    try:
        zone(spec.time_zone or "")
        timetable, problem = Timetable((parse(spec.schedule),), spec.time_zone or "", created), ""
    except CronError as error:
        timetable, problem = _NOTHING, f'spec.schedule "{spec.schedule}": {error}'
    except ZoneError as error:
        timetable, problem = _NOTHING, f'spec.timeZone "{spec.time_zone}": {error}'
    successful, failed = spec.successful_jobs_history_limit, spec.failed_jobs_history_limit
    return ScheduleRules(
        timetable=timetable,
        policy=spec.concurrency_policy or ConcurrencyPolicy.ALLOW,
        deadline=spec.starting_deadline_seconds,
        suspended=bool(spec.suspend),
        successful_limit=DEFAULT_SUCCESSFUL_LIMIT if successful is None else successful,
        failed_limit=DEFAULT_FAILED_LIMIT if failed is None else failed,
        problem=problem,
        needs_edit=bool(problem),
    )


def _state(cron_job: CronJob, created: int, now: int) -> ScheduleState:
    """The recorded state.

    After an edit of the schedule, times of the new schedule before the edit do not count as missed.
    """
    status = cron_job.status
    last = epoch_or_none(status.last_schedule_time)
    observed = status.observed_schedule
    since = epoch_or_none(observed.since) if observed else None
    if observed is not None and not follows(cron_job.spec, observed):
        since = now
    success = epoch_or_none(status.last_successful_time)
    return ScheduleState(
        considered=int(max(created, last or 0, since or 0)),
        last=None if last is None else int(last),
        last_success=None if success is None else int(success),
    )


def follows(spec: CronJobSpec, observed: ObservedSchedule) -> bool:
    """Whether the observed schedule is that of the spec."""
    return (observed.schedules, observed.time_zone) == ((spec.schedule,), spec.time_zone or "")


def _run(job: Body) -> ScheduledRun:
    metadata, state = job["metadata"], (job.get("status") or {}).get("state") or {}
    phase = str(state.get("phase") or "")
    ended = epoch_or_none(state.get("lastTransitionTime")) if phase in _ENDED else None
    known = phase if phase in list(JobPhase) else JobPhase.PENDING
    return ScheduledRun(
        name=metadata["name"],
        uid=str(metadata.get("uid", "")),
        due=_due(metadata),
        state=_ENDED.get(JobPhase(known), RunState.ACTIVE),
        phase=phase,
        completed=None if ended is None else int(ended),
        deleting="deletionTimestamp" in metadata,
    )


def _due(metadata: Body) -> int:
    """The due time: from the annotation, else from the name; 0 for a Job that was created by hand."""
    noted = epoch_or_none((metadata.get("annotations") or {}).get(CRONJOB_SCHEDULED))
    if noted is not None:
        return int(noted)
    return due_of_name(str(metadata["name"]))


def decoded(body: Body) -> CronJob | str:
    """The CronJob as a model, or the faults that prevent it."""
    try:
        return msgspec.convert(body, CronJob)
    except msgspec.ValidationError as error:
        return fault_text(str(error))
