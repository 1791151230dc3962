"""CronJobFlowBackfill (flow.jobflow.dev/v1alpha1): the flows of a CronJobFlow for times in the past.

A kind of its own: a list inside the CronJobFlow would be reverted by GitOps and would change its meaning with every edit of
the schedule. What has run is recorded in the status, so a flow that has been deleted is not run again.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.model.meta import ObjectMeta
from shared.model.schedules.common import ActiveReference, Condition
from shared.model.types import Int64, Model, Positive, Raw, Time


class Reprocess(StrEnum):
    """What a backfill does about times that already have a flow."""

    NEVER = "Never"
    FAILED = "Failed"
    ALL = "All"


class BackfillSpec(Model, frozen=True, kw_only=True):
    """Immutable."""

    cron_job_flow: Annotated[str, Meta(min_length=1, max_length=253, description="A CronJobFlow of this namespace.")]
    from_: Annotated[
        str, Meta(description="First time, RFC 3339; included.", extra_json_schema={"format": "date-time"})
    ] = msgspec.field(name="from")
    to: Annotated[str, Meta(description="Last time, RFC 3339; included.", extra_json_schema={"format": "date-time"})]
    parallelism: Annotated[Positive | None, Meta(description="Unfinished flows at once. Default 1.")] = None
    reprocess: Annotated[
        Reprocess | None, Meta(description="Never (default): only times without a flow; Failed; or All.")
    ] = None


class BackfillStatus(Model, frozen=True, kw_only=True):
    """Due times of the range are numbered from 0; sets of them are strings such as "0-57,60"."""

    total: Int64 = 0
    progress: Annotated[str, Meta(description="Ended times of all times.")] = ""
    started: Annotated[str, Meta(description="Times for which a flow was created.")] = ""
    succeeded: Annotated[str, Meta(description="Times whose flow succeeded.")] = ""
    failed: Annotated[str, Meta(description="Times whose flow failed or was deleted.")] = ""
    skipped: Annotated[str, Meta(description="Times that already had a flow when the backfill began.")] = ""
    active: Annotated[tuple[ActiveReference, ...], Meta(description="Unfinished flows.")] = ()
    source: Annotated[
        Raw | None, Meta(description="The CronJobFlow, and the JobFlowTemplate it names, when the backfill began.")
    ] = None
    completion_time: Time | None = None
    observed_generation: Int64 = 0
    conditions: tuple[Condition, ...] = ()


class CronJobFlowBackfill(Model, frozen=True, kw_only=True):
    """Creates the JobFlows of a CronJobFlow for times in the past."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: BackfillSpec
    status: BackfillStatus = BackfillStatus()
