"""Raw CronJobFlows and JobFlows -> the input of controller.schedule. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from controller.cronjobflow.ended_period import EndedPeriod, ended_period
from controller.decision import Child, Refusal
from controller.schedule.observed import (
    DEFAULT_FAILED_LIMIT,
    DEFAULT_SUCCESSFUL_LIMIT,
    RunState,
    ScheduledRun,
    ScheduleRules,
    ScheduleSeen,
    ScheduleState,
    WhenAnswer,
)
from controller.schedule.refusals import refused_names
from shared.cron import CronError, Timetable, ZoneError, parse, zone
from shared.expressions import EvalError, Program, ResultType, compile_expression, evaluate, schedule_scope
from shared.kinds import JOBFLOW
from shared.model.phases import FlowPhase
from shared.model.schedules.common import ConcurrencyPolicy, ObservedSchedule
from shared.model.schedules.cron_job_flow import CatchUpOrder, CronJobFlow, CronJobFlowSpec
from shared.model.types import Body
from shared.names import CRON_SCHEDULED
from shared.timestamp import epoch_or_none, rfc3339

DEFAULT_CATCH_UP: Final = 1
_NOTHING: Final = Timetable(())


def observe(
    cron: CronJobFlow, flows: Iterable[Body], problem: str, refusals: Mapping[Child, Refusal], now: float
) -> ScheduleSeen:
    """The input of controller.schedule.

    `flows`: the JobFlows whose controller is this CronJobFlow; `problem`: why no flow can be created.
    """
    meta, spec = cron.metadata, cron.spec
    created = int(epoch_or_none(meta.creation_timestamp) or now)
    observed = cron.status.observed_schedule
    edited = observed is not None and not follows(spec, observed)
    since = int(now) if edited else int((epoch_or_none(observed.since) if observed else None) or created)
    return ScheduleSeen(
        uid=meta.uid,
        rules=_rules(spec, since, problem, ended_period(cron, now)),
        state=_state(cron, since),
        runs=tuple(_run(flow) for flow in flows),
        refused=refused_names(JOBFLOW, refusals, now),
        name=meta.name,
    )


def follows(spec: CronJobFlowSpec, observed: ObservedSchedule) -> bool:
    """Whether the observed schedule is that of the spec."""
    return (observed.schedules, observed.time_zone) == (spec.schedules, spec.time_zone)


def _rules(spec: CronJobFlowSpec, since: int, problem: str, ended: EndedPeriod | None) -> ScheduleRules:
    timetable, needs_edit = _NOTHING, True
    try:
        zone(spec.time_zone)
        timetable = Timetable(tuple(parse(text) for text in spec.schedules), spec.time_zone, since)
        needs_edit = False
    except CronError as error:
        problem = f"spec.schedules: {error}"
    except ZoneError as error:
        problem = f'spec.timeZone "{spec.time_zone}": {error}'
    catch_up = spec.catch_up
    end = epoch_or_none(spec.end_time) if ended is None else ended.end
    successful, failed = spec.successful_job_flows_history_limit, spec.failed_job_flows_history_limit
    return ScheduleRules(
        timetable=timetable,
        policy=spec.concurrency_policy or ConcurrencyPolicy.ALLOW,
        deadline=spec.starting_deadline_seconds,
        suspended=spec.suspend,
        end=None if end is None else int(end),
        jitter=spec.jitter_seconds or 0,
        catch_up=DEFAULT_CATCH_UP if catch_up is None or catch_up.limit is None else catch_up.limit,
        newest_first=catch_up is not None and catch_up.order is CatchUpOrder.NEWEST_FIRST,
        keeps_backlog=True,
        successful_limit=DEFAULT_SUCCESSFUL_LIMIT if successful is None else successful,
        failed_limit=DEFAULT_FAILED_LIMIT if failed is None else failed,
        when=_when(spec.when) if spec.when else None,
        problem=problem,
        needs_edit=needs_edit,
    )


def _when(text: str) -> Callable[[int, int | None, ScheduledRun | None], WhenAnswer]:
    """The condition as a function. If the evaluation fails, the condition is false, with the error as the reason."""
    program = compile_expression(text, schedule_scope(), ResultType.BOOL)

    def asked(due: int, previous: int | None, last: ScheduledRun | None) -> WhenAnswer:
        if not isinstance(program, Program):
            return WhenAnswer(False, f"`when`: {program[0]}")
        times = {"time": due} | ({} if previous is None else {"previousTime": previous})
        bindings = {
            "schedule": {name: datetime.fromtimestamp(each, UTC) for name, each in times.items()},
            "last": {
                "name": last.name if last else "",
                "phase": last.phase if last else "",
                "outcome": last.outcome if last else "",
                "completionTime": rfc3339(last.completed) if last and last.completed else "",
            },
        }
        value = evaluate(program, bindings)
        return WhenAnswer(False, f"`when`: {value}") if isinstance(value, EvalError) else WhenAnswer(bool(value))

    return asked


def _state(cron: CronJobFlow, since: int) -> ScheduleState:
    status = cron.status
    last, success = epoch_or_none(status.last_schedule_time), epoch_or_none(status.last_successful_time)
    considered = epoch_or_none(status.considered_until)
    backlog = (epoch_or_none(time) for time in status.backlog)
    run = status.last_run
    ended = epoch_or_none(run.completion_time) if run else None
    return ScheduleState(
        considered=max(since, int(considered or 0)),
        last=None if last is None else int(last),
        last_success=None if success is None else int(success),
        backlog=tuple(int(time) for time in backlog if time is not None),
        missed=status.missed_total,
        skipped_suspended=status.skipped.suspended,
        skipped_forbidden=status.skipped.forbidden,
        skipped_condition=status.skipped.condition,
        last_run=None
        if run is None
        else ScheduledRun(
            run.name, "", 0, _outcome(run.phase), run.phase, run.outcome, None if ended is None else int(ended)
        ),
    )


def _run(flow: Body) -> ScheduledRun:
    metadata, status = flow["metadata"], flow.get("status") or {}
    phase = str((status.get("state") or {}).get("phase") or "")
    ended = epoch_or_none(status.get("completionTime"))
    noted = epoch_or_none((metadata.get("annotations") or {}).get(CRON_SCHEDULED))
    return ScheduledRun(
        name=metadata["name"],
        uid=str(metadata.get("uid", "")),
        due=0 if noted is None else int(noted),
        state=RunState.ACTIVE if ended is None else _outcome(phase),
        phase=phase,
        outcome=str(status.get("outcome") or ""),
        completed=None if ended is None else int(ended),
        deleting="deletionTimestamp" in metadata,
    )


def _outcome(phase: str) -> RunState:
    return RunState.SUCCEEDED if phase == FlowPhase.SUCCEED else RunState.FAILED
