"""Queue (scheduling.volcano.sh/v1beta1): shares of the cluster.

See docs/design/volcano-behaviour.md, section 1.7.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from shared.model.meta import ObjectMeta
from shared.model.phases import QueueState
from shared.model.types import DNS_SUBDOMAIN, Count, Int32, Model, ResourceList


class DequeueStrategy(StrEnum):
    FIFO = "fifo"
    TRAVERSE = "traverse"


class Guarantee(Model, frozen=True, kw_only=True):
    resource: ResourceList | None = None


class Cluster(Model, frozen=True, kw_only=True):
    name: str = ""
    weight: Int32 = 0
    capacity: ResourceList | None = None


class GroupAffinity(Model, frozen=True, kw_only=True):
    """Node groups by name: required and preferred ones."""

    required_during_scheduling_ignored_during_execution: tuple[str, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[str, ...] = ()


class QueueAffinity(Model, frozen=True, kw_only=True):
    node_group_affinity: GroupAffinity | None = None
    node_group_anti_affinity: GroupAffinity | None = None


class QueueSpec(Model, frozen=True, kw_only=True):
    weight: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None, Meta(description="Share among siblings. Default 1.")
    ] = None
    capability: Annotated[ResourceList | None, Meta(description="Maximum resources of its Jobs.")] = None
    deserved: Annotated[ResourceList | None, Meta(description="Resources that it may reclaim from others.")] = None
    guarantee: Annotated[Guarantee | None, Meta(description="Resources reserved for it.")] = None
    reclaimable: Annotated[
        bool | None, Meta(description="Whether other queues may reclaim what it uses above deserved. Default true.")
    ] = None
    extend_clusters: tuple[Cluster, ...] = ()
    affinity: QueueAffinity | None = None
    type: Annotated[str, Meta(max_length=253)] = ""
    parent: Annotated[
        str, Meta(max_length=253, extra_json_schema={"pattern": f"^$|{DNS_SUBDOMAIN}"}, description="Default root.")
    ] = ""
    priority: Annotated[Count, Meta(description="Queues with higher priority are served first.")] = 0
    dequeue_strategy: Annotated[
        DequeueStrategy | None,
        Meta(
            description="traverse (default): groups may overtake a first group that does not fit; fifo: they may not."
        ),
    ] = None


class Reservation(Model, frozen=True, kw_only=True):
    nodes: tuple[str, ...] = ()
    resource: ResourceList | None = None


class QueueStatus(Model, frozen=True, kw_only=True):
    state: QueueState | None = None
    allocated: ResourceList | None = None
    reservation: Reservation | None = None
    unknown: Count = 0
    pending: Count = 0
    running: Count = 0
    inqueue: Count = 0
    completed: Count = 0


class Queue(Model, frozen=True, kw_only=True):
    """A queue of Jobs with its share of the cluster."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: QueueSpec = QueueSpec()
    status: QueueStatus = QueueStatus()
