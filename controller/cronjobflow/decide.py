"""What a CronJobFlow does now: `decide(body, template, flows, refusals, now) -> ScheduleDecision`. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from controller.cronjobflow.ended_period import EndedPeriod, ended_period
from controller.cronjobflow.observe import observe
from controller.cronjobflow.status import status_of
from controller.decision import Child, Create, Delete, Note, Refusal
from controller.schedule.decide import decide as decide_schedule
from controller.schedule.observed import ScheduledRun, SchedulePlan
from controller.schedule.refusals import again_at, fresh_refusals
from controller.schedule.tally import ScheduleDecision, tally_of
from shared.children.scheduled_flows import flow_for, params_fault
from shared.codec.api_words import fault_text
from shared.kinds import JOBFLOW
from shared.model.schedules.cron_job_flow import CronJobFlow
from shared.model.types import Body
from shared.timestamp import rfc3339

INVALID: Final = "InvalidSchedule"
FAILED_CREATE: Final = "FailedCreate"


def decide(
    body: Body, template: Body | None, flows: Sequence[Body], refusals: Mapping[Child, Refusal], now: float
) -> ScheduleDecision:
    """Create the JobFlows that are due, delete what is replaced or beyond the history limits, record both.

    `template`: the JobFlowTemplate that spec.template names, if it exists; `flows`: the JobFlows whose controller is this
    CronJobFlow; `now`: epoch seconds.
    """
    if "deletionTimestamp" in body["metadata"]:
        return ScheduleDecision()
    try:
        cron = msgspec.convert(body, CronJobFlow)
    except msgspec.ValidationError as error:
        return ScheduleDecision(notes=(Note(INVALID, fault_text(str(error)), "Warning"),))
    seen = observe(cron, flows, _problem(body, template, now), refusals, now)
    plan = decide_schedule(seen, math.floor(now))
    ended = ended_period(cron, now)
    open_ = ended is not None and (bool(seen.rules.problem) or math.floor(now) < ended.closed_at)
    if ended is not None:
        plan = _after(ended, plan, math.floor(now), is_open=open_)
    creates = _creates(body, template, plan, seen.state.last)
    fresh = fresh_refusals(JOBFLOW, refusals, now)
    moments = [*([float(plan.wake)] if plan.wake is not None else []), *(again_at(each) for each in fresh)]
    namespace = body["metadata"]["namespace"]
    return ScheduleDecision(
        first=tuple(_delete(namespace, run) for run in plan.replaced),
        actions=creates,
        status=status_of(
            cron,
            seen,
            plan,
            [each.message for each in fresh],
            rfc3339(now),
            ended.recorded if ended and open_ else None,
        ),
        cleanup=tuple(_delete(namespace, run) for run in plan.pruned),
        notes=_notes(plan, creates, fresh, seen.rules.problem),
        requeue_after=max(min(moments) - now, 0.01) if moments else None,
        tally=tally_of(seen, plan, math.floor(now)),
    )


def _after(ended: EndedPeriod, plan: SchedulePlan, now: int, *, is_open: bool) -> SchedulePlan:
    """The plan for an ended period. Once all its times are decided, nothing until now is due any more."""
    if is_open:
        return msgspec.structs.replace(plan, wake=min(plan.wake or ended.closed_at, max(ended.closed_at, now + 1)))
    state = msgspec.structs.replace(plan.state, considered=max(plan.state.considered, now))
    return msgspec.structs.replace(plan, state=state, wake=now)


def _problem(body: Body, template: Body | None, now: float) -> str:
    """Why no flow can be created now, or ''."""
    reference = body["spec"].get("template")
    if not reference:
        return ""
    if template is None:
        return f'spec.template.name: JobFlowTemplate "{reference.get("name")}" does not exist'
    fault = params_fault(body, template, math.floor(now))
    return f"spec.params: {fault}" if fault else ""


def _creates(body: Body, template: Body | None, plan: SchedulePlan, previous: int | None) -> tuple[Create, ...]:
    creates = []
    for due in plan.starts:
        creates.append(Create(JOBFLOW, flow_for(body, template, due, previous)))
        previous = due
    return tuple(creates)


def _notes(plan: SchedulePlan, creates: Sequence[Create], fresh: Sequence[Refusal], problem: str) -> tuple[Note, ...]:
    notes = [Note(each.reason, each.message, "Warning" if each.warning else "Normal") for each in plan.events]
    notes += [Note("SuccessfulCreate", f"created JobFlow {each.body['metadata']['name']}") for each in creates]
    notes += [Note("SuccessfulDelete", f"deleted JobFlow {run.name}") for run in (*plan.replaced, *plan.pruned)]
    notes += [Note(FAILED_CREATE, each.message, "Warning") for each in fresh]
    return (*notes, *([Note(INVALID, problem, "Warning")] if problem else []))


def _delete(namespace: str, run: ScheduledRun) -> Delete:
    return Delete(JOBFLOW, namespace, run.name, run.uid, propagation="Foreground")
