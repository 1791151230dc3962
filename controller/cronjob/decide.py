"""What a CronJob does now: `decide(body, jobs, refusals, now) -> ScheduleDecision`. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from controller.cronjob.children import job_for
from controller.cronjob.observe import decoded, observe
from controller.cronjob.status import status_of
from controller.decision import Child, Create, Delete, Note, Refusal
from controller.schedule.decide import decide as decide_schedule
from controller.schedule.observed import ScheduledRun
from controller.schedule.refusals import again_at, fresh_refusals
from controller.schedule.tally import ScheduleDecision, tally_of
from shared.kinds import JOB
from shared.model.types import Body
from shared.timestamp import rfc3339

INVALID: Final = "InvalidSchedule"
FAILED_CREATE: Final = "FailedCreate"


def decide(body: Body, jobs: Sequence[Body], refusals: Mapping[Child, Refusal], now: float) -> ScheduleDecision:
    """Create the Jobs that are due, delete what is replaced or beyond the history limits, record both.

    `jobs`: the Jobs whose controller is this CronJob; `now`: epoch seconds.
    """
    if "deletionTimestamp" in body["metadata"]:
        return ScheduleDecision()
    cron_job = decoded(body)
    if isinstance(cron_job, str):
        return ScheduleDecision(notes=(Note(INVALID, cron_job, "Warning"),))
    seen = observe(cron_job, jobs, refusals, now)
    plan = decide_schedule(seen, math.floor(now))
    creates = tuple(Create(JOB, job_for(body, due)) for due in plan.starts)
    namespace = body["metadata"]["namespace"]
    notes = [Note(each.reason, each.message, "Warning" if each.warning else "Normal") for each in plan.events]
    notes += [Note("SuccessfulCreate", f"created Job {each.body['metadata']['name']}") for each in creates]
    notes += [Note("SuccessfulDelete", f"deleted Job {run.name}") for run in (*plan.replaced, *plan.pruned)]
    fresh = fresh_refusals(JOB, refusals, now)
    notes += [Note(FAILED_CREATE, each.message, "Warning") for each in fresh]
    if seen.rules.problem:
        notes.append(Note(INVALID, seen.rules.problem, "Warning"))
    moments = [float(plan.wake)] if plan.wake is not None else []
    moments += [again_at(each) for each in fresh]
    return ScheduleDecision(
        first=tuple(_delete(namespace, run) for run in plan.replaced),
        actions=creates,
        status=status_of(body, cron_job, seen, plan, [each.message for each in fresh], rfc3339(now)),
        cleanup=tuple(_delete(namespace, run) for run in plan.pruned),
        notes=tuple(notes),
        requeue_after=max(min(moments) - now, 0.01) if moments else None,
        tally=tally_of(seen, plan, math.floor(now)),
    )


def _delete(namespace: str, run: ScheduledRun) -> Delete:
    return Delete(JOB, namespace, run.name, run.uid)
