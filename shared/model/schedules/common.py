"""What CronJob and CronJobFlow have in common: policies, references to active children, and what was observed."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from shared.model.types import Labels, Model, Time


class ConcurrencyPolicy(StrEnum):
    """What happens when a run is due while an earlier one is active."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class TemplateMetadata(Model, frozen=True, kw_only=True):
    """Labels and annotations of the objects that are created."""

    name: Annotated[str, Meta(description="Ignored: names follow from the schedule.")] = ""
    namespace: Annotated[str, Meta(description="Ignored: children are created in the namespace of their owner.")] = ""
    labels: Labels = {}
    annotations: Labels = {}
    finalizers: tuple[str, ...] = ()


class ActiveReference(Model, frozen=True, kw_only=True):
    """core/v1 ObjectReference of an unfinished child."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    field_path: str = ""


class ObservedSchedule(Model, frozen=True, kw_only=True):
    """The schedule that the controller follows, and since when. Times before `since` are never made up for."""

    schedules: tuple[str, ...] = ()
    time_zone: str = ""
    since: Time | None = None
    end_time: Time | None = None


class Condition(Model, frozen=True, kw_only=True):
    """metav1.Condition."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: Time | None = None
    observed_generation: int = 0
