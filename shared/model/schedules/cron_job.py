"""Volcano's CronJob (batch.volcano.sh/v1alpha1): creates Jobs on a schedule.

The fields are Volcano's; `status.observedSchedule`, `status.observedGeneration` and `status.conditions` are additions, which Volcano's own CRD
drops.
"""

from typing import Annotated

from msgspec import Meta

from shared.model.job import JobSpec
from shared.model.meta import ObjectMeta
from shared.model.schedules.common import (
    ActiveReference,
    ConcurrencyPolicy,
    Condition,
    ObservedSchedule,
    TemplateMetadata,
)
from shared.model.types import Count, Int64, Model, Time

NonNegative64 = Annotated[int, Meta(ge=0, extra_json_schema={"format": "int64"})]


class CronJobTemplate(Model, frozen=True, kw_only=True):
    """The Job that each run creates."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: JobSpec = JobSpec()


class CronJobSpec(Model, frozen=True, kw_only=True):
    """The schedule and the Job to create."""

    schedule: Annotated[
        str, Meta(description="Five cron fields, a macro such as @hourly, or @every DURATION; read in timeZone.")
    ]
    job_template: Annotated[CronJobTemplate, Meta(description="The Job that each run creates.")]
    time_zone: Annotated[str | None, Meta(description="IANA name, such as Europe/Berlin. Absent: UTC.")] = None
    starting_deadline_seconds: Annotated[
        NonNegative64 | None, Meta(description="A run that cannot start within this time is missed. Absent: no limit.")
    ] = None
    concurrency_policy: Annotated[
        ConcurrencyPolicy | None,
        Meta(description="Allow (default), Forbid: wait for the active Job, Replace: delete the active Job first."),
    ] = None
    suspend: Annotated[bool | None, Meta(description="No new Jobs are created; existing Jobs continue.")] = None
    successful_jobs_history_limit: Annotated[Count | None, Meta(description="Completed Jobs to keep. Default 3.")] = (
        None
    )
    failed_jobs_history_limit: Annotated[
        Count | None, Meta(description="Failed and Terminated Jobs to keep. Default 1.")
    ] = None


class CronJobStatus(Model, frozen=True, kw_only=True):
    active: Annotated[tuple[ActiveReference, ...], Meta(description="Unfinished Jobs.")] = ()
    last_schedule_time: Annotated[Time | None, Meta(description="The newest time for which a Job was created.")] = None
    last_successful_time: Annotated[Time | None, Meta(description="When a Job last completed.")] = None
    observed_schedule: ObservedSchedule | None = None
    observed_generation: Int64 = 0
    conditions: tuple[Condition, ...] = ()


class CronJob(Model, frozen=True, kw_only=True):
    """Creates Jobs on a schedule."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: CronJobSpec
    status: CronJobStatus = CronJobStatus()
