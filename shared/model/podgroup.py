"""PodGroup (scheduling.volcano.sh/v1beta1): pods that are admitted together.

See docs/design/volcano-behaviour.md, section 1.6.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.model.job import NetworkTopology
from shared.model.meta import ObjectMeta
from shared.model.phases import PodGroupPhase
from shared.model.types import DNS_SUBDOMAIN, Count, Model, Positive, Raw, ResourceList, Time


class SubGroupPolicy(Model, frozen=True, kw_only=True):
    """Placement of a partitioned task's groups."""

    name: Annotated[str, Meta(max_length=253)] = ""
    network_topology: NetworkTopology | None = None
    sub_group_size: Positive | None = None
    min_sub_groups: Count | None = None
    label_selector: Raw | None = None
    match_label_keys: tuple[str, ...] = ()


class PodGroupSpec(Model, frozen=True, kw_only=True):
    min_member: Annotated[Count, Meta(description="Pods that must be able to start together.")] = 0
    min_task_member: Annotated[
        dict[str, Count], Meta(description="Pods of each task that must be able to start together.")
    ] = {}
    queue: Annotated[str, Meta(max_length=253, extra_json_schema={"pattern": f"^$|{DNS_SUBDOMAIN}"})] = ""
    priority_class_name: Annotated[str, Meta(max_length=253)] = ""
    min_resources: ResourceList | None = None
    network_topology: NetworkTopology | None = None
    sub_group_policy: tuple[SubGroupPolicy, ...] = ()


class PodGroupCondition(Model, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""
    transition_id: str = msgspec.field(default="", name="transitionID")
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class PodGroupStatus(Model, frozen=True, kw_only=True):
    phase: PodGroupPhase | None = None
    conditions: tuple[PodGroupCondition, ...] = ()
    running: Count = 0
    succeeded: Count = 0
    failed: Count = 0


class PodGroup(Model, frozen=True, kw_only=True):
    """A group of pods, such as those of a Job, that are scheduled together."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: PodGroupSpec = PodGroupSpec()
    status: PodGroupStatus = PodGroupStatus()
