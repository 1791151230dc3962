"""The input of one scheduling cycle.

It is a copy, so that the cycle is a pure function and watches can update the cache meanwhile.
"""

from collections import Counter
from collections.abc import Collection, Mapping

import msgspec

from controller.gang.cache.amounts import Amounts
from controller.gang.cache.assumed import AssumedTotals
from controller.gang.cache.capacity import ClusterCapacity
from controller.gang.cache.pending_group import PendingGroup
from controller.gang.cache.pod import PodInfo
from controller.gang.cache.pod_group import PodGroupInfo
from controller.gang.cache.pod_requirements import PodRequirements
from controller.gang.cache.queue_tree import QueueTree
from shared.key import Key


class RunningGroup(msgspec.Struct, frozen=True):
    """A group that may be evicted. `requests`: what it uses of its queue; `bound`: node, requirements and how many."""

    key: Key
    queue: str
    priority: int
    created: float
    requests: Amounts
    bound: tuple[tuple[str, PodRequirements, int], ...]


def running_group(
    group: PodGroupInfo, pods: Collection[PodInfo], requests: Amounts, class_value: int | None
) -> RunningGroup:
    """`class_value`: of the group's PriorityClass; without one, the highest priority of its pods counts."""
    priority = max((pod.priority for pod in pods), default=0) if class_value is None else class_value
    bound = Counter((pod.node, pod.requirements) for pod in pods if pod.occupies_node)
    parts = tuple((node, requirements, count) for (node, requirements), count in bound.items())
    return RunningGroup(group.key, group.queue, priority, group.created, requests, parts)


class Snapshot(msgspec.Struct, frozen=True):
    """`pending`: groups with gated pods; `ungating`: groups that were admitted and whose gates are being removed; `used`:
    what groups use, by the queue that they name; `evictable`: groups that may be evicted, empty unless eviction is on;
    `unassigned`: pods without gate exist for which no node could be assumed; `version`: grows when something changes that
    may make an inadmissible group admissible; `unschedulable`: an admitted pod that the scheduler cannot bind, if any."""

    pending: tuple[PendingGroup, ...]
    ungating: frozenset[Key]
    capacity: ClusterCapacity
    assumed: AssumedTotals
    tree: QueueTree
    used: Mapping[str, Amounts]
    evictable: tuple[RunningGroup, ...]
    unassigned: bool
    version: int
    unschedulable: Key | None = None
