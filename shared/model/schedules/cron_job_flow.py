"""CronJobFlow (flow.jobflow.dev/v1alpha1): JobFlows on a schedule."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from shared.model.flow import JobFlowSpec, Param
from shared.model.meta import ObjectMeta
from shared.model.schedules.common import (
    ActiveReference,
    ConcurrencyPolicy,
    Condition,
    ObservedSchedule,
    TemplateMetadata,
)
from shared.model.step import Expression
from shared.model.types import Count, Int64, Model, Time


class CatchUpOrder(StrEnum):
    """In which order missed times are made up for."""

    OLDEST_FIRST = "OldestFirst"
    NEWEST_FIRST = "NewestFirst"


class CatchUp(Model, frozen=True, kw_only=True):
    """Which missed times are made up for: the newest `limit` of them."""

    limit: Annotated[
        Annotated[int, Meta(ge=0, le=100, extra_json_schema={"format": "int32"})] | None,
        Meta(description="Missed times to make up for, the newest ones. Default 1; 0: none."),
    ] = None
    order: Annotated[CatchUpOrder | None, Meta(description="OldestFirst (default) or NewestFirst.")] = None


class TemplateReference(Model, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=253, description="A JobFlowTemplate of this namespace.")]


class InlineFlow(Model, frozen=True, kw_only=True):
    """An inline JobFlow."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: JobFlowSpec = JobFlowSpec()


class CronJobFlowSpec(Model, frozen=True, kw_only=True):
    """The schedule and the JobFlow to create."""

    schedules: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1, max_length=10, description="Cron expressions, macros, or @every DURATION; read in timeZone."
        ),
    ]
    time_zone: Annotated[str, Meta(description="IANA name, such as Europe/Berlin. Absent: UTC.")] = ""
    concurrency_policy: Annotated[
        ConcurrencyPolicy | None,
        Meta(description="Allow (default), Forbid: skip the run, Replace: delete the active flow first."),
    ] = None
    starting_deadline_seconds: Annotated[
        Count | None, Meta(description="A run that cannot start within this time is missed. Absent: no limit.")
    ] = None
    suspend: Annotated[bool, Meta(description="No new flows are created; times that pass are skipped.")] = False
    end_time: Annotated[Time | None, Meta(description="No runs are due after this time.")] = None
    jitter_seconds: Annotated[
        Count | None,
        Meta(description="Maximum delay of each run; the delay is fixed for an object and a time."),
    ] = None
    when: Annotated[
        Expression | None,
        Meta(description="CEL over schedule.time, schedule.previousTime and last; false: the run is skipped."),
    ] = None
    catch_up: Annotated[CatchUp | None, Meta(description="Missed times to make up for. Default: the newest.")] = None
    template: Annotated[TemplateReference | None, Meta(description="The JobFlowTemplate; or jobFlowTemplate.")] = None
    job_flow_template: Annotated[InlineFlow | None, Meta(description="An inline JobFlow; or template.")] = None
    params: Annotated[
        tuple[Param, ...],
        Meta(description="Params of the flow; $(schedule.date), .time, .previousTime, .unix are replaced."),
    ] = ()
    successful_job_flows_history_limit: Annotated[Count | None, Meta(description="Flows to keep. Default 3.")] = None
    failed_job_flows_history_limit: Annotated[Count | None, Meta(description="Failed flows to keep. Default 1.")] = None


class SkippedTimes(Model, frozen=True, kw_only=True):
    """Numbers of due times that were skipped, by cause."""

    suspended: Int64 = 0
    forbidden: Int64 = 0
    condition: Int64 = 0


class LastRun(Model, frozen=True, kw_only=True):
    """The newest run that ended; `last` in `when`."""

    name: str = ""
    phase: str = ""
    outcome: str = ""
    completion_time: Time | None = None


class CronJobFlowStatus(Model, frozen=True, kw_only=True):
    active: Annotated[tuple[ActiveReference, ...], Meta(description="Unfinished flows.")] = ()
    active_count: Annotated[Int64 | None, Meta(description="Number of unfinished flows.")] = None
    last_schedule_time: Annotated[Time | None, Meta(description="The newest time for which a flow was created.")] = None
    last_successful_time: Annotated[Time | None, Meta(description="When a flow last succeeded.")] = None
    next_schedule_times: Annotated[tuple[Time, ...], Meta(description="The next three due times.")] = ()
    considered_until: Annotated[Time | None, Meta(description="Every due time up to here has been decided.")] = None
    backlog: Annotated[tuple[Time, ...], Meta(description="Times to make up for that have not started yet.")] = ()
    missed_total: Annotated[Int64, Meta(description="Times that passed and are not made up for.")] = 0
    skipped: SkippedTimes = SkippedTimes()
    last_run: LastRun | None = None
    observed_schedule: ObservedSchedule | None = None
    observed_generation: Int64 = 0
    conditions: tuple[Condition, ...] = ()


class CronJobFlow(Model, frozen=True, kw_only=True):
    """Creates JobFlows on a schedule."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: CronJobFlowSpec
    status: CronJobFlowStatus = CronJobFlowStatus()
