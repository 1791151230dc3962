"""The Job's PodGroup: what to create, and how to keep it in line with the Job (docs/design/volcano-behaviour.md,
section 3.1; docs/design/decisions.md, row 3).
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from controller.decision import Action, Create, Delete, Patch
from controller.job.children.pods import owner_reference
from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.observed import JobObservation
from controller.job.model.pods_by_role import current_group, is_stale_group
from controller.job.model.record import JobRecord
from shared import names
from shared.kinds import PODGROUP
from shared.model.job import NetworkTopology
from shared.model.podgroup import PodGroupSpec, SubGroupPolicy
from shared.model.types import Body
from shared.naming import podgroup_name
from shared.resources import GangTask, min_resources

_FOLLOWS = ("minMember", "minTaskMember", "minResources", "priorityClassName", "subGroupPolicy")
"""Fields that are kept in line after creation; queue and networkTopology are not, as in Volcano."""


def wanted_actions(
    observed: JobObservation, record: JobRecord, wanted: EffectiveSpec, tasks: tuple[Task, ...]
) -> Iterator[Action]:
    """Create the PodGroup, or update it; nothing while an old one exists. `tasks`: the released ones."""
    spec = group_spec(observed, wanted, tasks)
    if observed.group is None:
        yield Create(PODGROUP, observed.settings.backend.group_body(_body(observed, record, spec)))
    elif group := current_group(observed.group, record):
        want, have = _fields(spec), _fields(group.spec)
        changes = [field for field in _FOLLOWS if want.get(field) != have.get(field)]
        if changes:
            patch = [_change(field, want) for field in changes if field in want or field in have]
            yield Patch(PODGROUP, group.metadata.namespace, group.metadata.name, patch, uid=group.metadata.uid)


def removal(observed: JobObservation) -> Iterator[Delete]:
    """Delete the PodGroup that exists."""
    if observed.group is not None and not observed.group.metadata.deletion_timestamp:
        metadata = observed.group.metadata
        yield Delete(PODGROUP, metadata.namespace, metadata.name, metadata.uid)


def stale_removal(observed: JobObservation, record: JobRecord) -> Iterator[Delete]:
    if observed.group is not None and is_stale_group(observed.group, record):
        yield from removal(observed)


def group_spec(observed: JobObservation, wanted: EffectiveSpec, tasks: tuple[Task, ...]) -> PodGroupSpec:
    member = wanted.minimum(tasks)
    topology = observed.job.spec.network_topology
    return PodGroupSpec(
        min_member=member,
        min_task_member={task.name: task.minimum for task in tasks},
        queue=wanted.queue,
        priority_class_name=observed.job.spec.priority_class_name,
        min_resources=dict(min_resources([_gang_task(task, observed) for task in tasks], member)) or None,
        network_topology=_one_tier(topology) if topology else None,
        sub_group_policy=tuple(_sub_group(task) for task in tasks if task.spec.partition_policy),
    )


def _gang_task(task: Task, observed: JobObservation) -> GangTask:
    priority_class = (task.spec.template.get("spec") or {}).get("priorityClassName") or ""
    return GangTask(task.replicas, task.minimum, task.spec.template, observed.priorities.get(priority_class, 0))


def _one_tier(topology: NetworkTopology) -> NetworkTopology:
    """Only one of the two tiers counts; the number has precedence."""
    if topology.highest_tier_allowed is None:
        return topology
    return msgspec.structs.replace(topology, highest_tier_name=None)


def _sub_group(task: Task) -> SubGroupPolicy:
    policy = task.spec.partition_policy
    if policy is None:
        raise ValueError(f"task {task.name} has no partitions")
    return SubGroupPolicy(
        name=task.name,
        network_topology=policy.network_topology,
        sub_group_size=policy.partition_size,
        min_sub_groups=policy.min_partitions,
        label_selector={"matchLabels": {names.TASK_SPEC: task.name}},
        match_label_keys=(names.PARTITION_ID,),
    )


def _fields(spec: PodGroupSpec) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(spec))
    return fields


def _change(field: str, want: Body) -> Body:
    path = f"/spec/{field}"
    return {"op": "add", "path": path, "value": want[field]} if field in want else {"op": "remove", "path": path}


def _body(observed: JobObservation, record: JobRecord, spec: PodGroupSpec) -> Body:
    job = observed.job.metadata
    annotations = {
        key: value for key, value in job.annotations.items() if not key.startswith(names.FOREIGN_ANNOTATION_PREFIXES)
    }
    return {
        "apiVersion": PODGROUP.api_version,
        "kind": PODGROUP.kind,
        "metadata": {
            "name": podgroup_name(job.name, job.uid),
            "namespace": job.namespace,
            "labels": dict(job.labels),
            "annotations": {**annotations, names.JOB_VERSION: str(record.version)},
            "ownerReferences": [owner_reference(observed)],
        },
        "spec": {"minMember": 0, **_fields(spec)},
    }
