"""CronJobFlow.status from a plan. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from controller.cronjobflow.observe import follows
from controller.schedule.conditions import conditions
from controller.schedule.observed import SchedulePlan, ScheduleSeen
from shared.kinds import JOBFLOW
from shared.model.schedules.common import ActiveReference, ObservedSchedule
from shared.model.schedules.cron_job_flow import CronJobFlow, CronJobFlowStatus, LastRun, SkippedTimes
from shared.model.types import Body
from shared.timestamp import rfc3339


def status_of(
    cron: CronJobFlow, seen: ScheduleSeen, plan: SchedulePlan, refused: Sequence[str], now: str, kept_end: str | None
) -> Body:
    """The whole new status. Children that this pass creates are active from the next pass on, when their uid is known.

    `kept_end`: the end that stays recorded, because times until then are not decided yet.
    """
    meta, state, last = cron.metadata, plan.state, plan.state.last_run
    status = CronJobFlowStatus(
        active=tuple(
            ActiveReference(
                api_version=JOBFLOW.api_version, kind=JOBFLOW.kind, namespace=meta.namespace, name=run.name, uid=run.uid
            )
            for run in sorted(seen.active, key=lambda run: (run.due, run.name))
        ),
        active_count=len(seen.active),
        last_schedule_time=None if state.last is None else rfc3339(state.last),
        last_successful_time=None if state.last_success is None else rfc3339(state.last_success),
        next_schedule_times=tuple(rfc3339(due) for due in plan.upcoming),
        considered_until=rfc3339(state.considered),
        backlog=tuple(rfc3339(due) for due in state.backlog),
        missed_total=state.missed,
        skipped=SkippedTimes(
            suspended=state.skipped_suspended, forbidden=state.skipped_forbidden, condition=state.skipped_condition
        ),
        last_run=None
        if last is None
        else LastRun(
            name=last.name,
            phase=last.phase,
            outcome=last.outcome,
            completion_time=None if last.completed is None else rfc3339(last.completed),
        ),
        observed_schedule=msgspec.structs.replace(_observed(cron, now), end_time=kept_end or cron.spec.end_time),
        observed_generation=meta.generation,
        conditions=conditions(cron.status.conditions, meta.generation, seen.rules, refused, now),
    )
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(status))
    return written


def _observed(cron: CronJobFlow, now: str) -> ObservedSchedule:
    """Follows an edit of the schedule: `since` is then now."""
    spec, before = cron.spec, cron.status.observed_schedule
    if before is not None and follows(spec, before):
        return before
    since = now if before is not None else cron.metadata.creation_timestamp
    return ObservedSchedule(schedules=spec.schedules, time_zone=spec.time_zone, since=since)
