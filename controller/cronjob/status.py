"""CronJob.status from a plan. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from controller.cronjob.observe import follows
from controller.schedule.conditions import conditions
from controller.schedule.observed import RunState, SchedulePlan, ScheduleSeen
from shared.kinds import JOB
from shared.model.schedules.common import ActiveReference, ObservedSchedule
from shared.model.schedules.cron_job import CronJob, CronJobStatus
from shared.model.types import Body
from shared.timestamp import rfc3339


def status_of(
    body: Body, cron_job: CronJob, seen: ScheduleSeen, plan: SchedulePlan, refused: Sequence[str], now: str
) -> Body:
    """The whole new status. Children that this pass creates are active from the next pass on, when their uid is known."""
    meta, state = cron_job.metadata, plan.state
    active = [run for run in seen.runs if run.state is RunState.ACTIVE]
    status = CronJobStatus(
        active=tuple(
            ActiveReference(
                api_version=JOB.api_version, kind=JOB.kind, namespace=meta.namespace, name=run.name, uid=run.uid
            )
            for run in sorted(active, key=lambda run: (run.due, run.name))
        ),
        last_schedule_time=None if state.last is None else rfc3339(state.last),
        last_successful_time=None if state.last_success is None else rfc3339(state.last_success),
        observed_schedule=_observed(cron_job, plan, now),
        observed_generation=meta.generation,
        conditions=conditions(cron_job.status.conditions, meta.generation, seen.rules, refused, now),
    )
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(status))
    return written


def _observed(cron_job: CronJob, plan: SchedulePlan, now: str) -> ObservedSchedule:
    """Follows an edit of the schedule: `since` is then now. Times that can no longer start also move it forward."""
    spec, before = cron_job.spec, cron_job.status.observed_schedule
    wanted = ObservedSchedule(schedules=(spec.schedule,), time_zone=spec.time_zone or "")
    if before is not None and not follows(spec, before):
        return msgspec.structs.replace(wanted, since=now)
    since = before.since if before is not None else cron_job.metadata.creation_timestamp
    passed = plan.state.considered
    if passed > (plan.state.last or 0) and since is not None and rfc3339(passed) > since:
        since = rfc3339(passed)
    return msgspec.structs.replace(wanted, since=since)
