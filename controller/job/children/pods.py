"""The pod of a task's replica, from the template of the task (docs/design/volcano-behaviour.md, section 1.10 and 3.1).
Volumes, plugins and the gang backend complete it.
"""

from collections.abc import Iterator
from typing import Any, Final

from controller.decision import Patch
from controller.job.model.defaults import EffectiveSpec, Task
from controller.job.model.observed import JobObservation
from controller.job.model.record import JobRecord
from controller.job.model.volumes import mounted
from controller.plugin_api import PluginJob, PodSlot
from controller.plugins import shape_pod
from shared import names
from shared.kinds import JOB, POD
from shared.model.types import Body
from shared.naming import pod_name, podgroup_name

_COPIED: Final = (names.PREEMPTABLE, names.COOLDOWN_TIME)
_COPIED_ANNOTATIONS: Final = (*_COPIED, names.REVOCABLE_ZONE)
_DISRUPTION_BUDGETS: Final = (names.JDB_MIN_AVAILABLE, names.JDB_MAX_UNAVAILABLE)


def owner_reference(observed: JobObservation) -> Body:
    metadata = observed.job.metadata
    owner = {"apiVersion": JOB.api_version, "kind": JOB.kind, "name": metadata.name, "uid": metadata.uid}
    return {**owner, "controller": True, "blockOwnerDeletion": True}


def pod_body(
    observed: JobObservation, wanted: EffectiveSpec, record: JobRecord, shape: PluginJob, task: Task, index: int
) -> Body:
    """The pod to create for replica `index` of `task`."""
    metadata = observed.job.metadata
    group = podgroup_name(metadata.name, metadata.uid)
    body: Body = {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": {
            "name": pod_name(metadata.name, task.name, index),
            "namespace": metadata.namespace,
            "labels": _labels(observed, wanted, task, index),
            "annotations": _annotations(observed, wanted, record, task, index),
            "ownerReferences": [owner_reference(observed)],
        },
        "spec": _spec(observed, wanted, task),
    }
    shaped = shape_pod(mounted(body, observed.job), PodSlot(task.name, index), shape)
    return observed.settings.backend.shape_pod(shaped, group)


def is_forwarded(observed: JobObservation) -> bool:
    """Whether the queue extends into other clusters."""
    return observed.queue is not None and bool(observed.queue.spec.extend_clusters)


def forwarding_patch(observed: JobObservation) -> Iterator[Patch]:
    """Mark the Job when its queue extends into other clusters."""
    metadata = observed.job.metadata
    if is_forwarded(observed) and metadata.annotations.get(names.JOB_FORWARDING) != "true":
        patch = {"metadata": {"annotations": {names.JOB_FORWARDING: "true"}}}
        yield Patch(JOB, metadata.namespace, metadata.name, patch, uid=metadata.uid)


def _marks(observed: JobObservation, wanted: EffectiveSpec, task: Task, index: int) -> dict[str, str]:
    """What labels and annotations have in common."""
    marks = {
        names.TASK_INDEX: str(index),
        names.TASK_SPEC: task.name,
        names.JOB_NAME: observed.job.metadata.name,
        names.QUEUE_NAME: wanted.queue,
    }
    return {**marks, names.JOB_FORWARDING: "true"} if is_forwarded(observed) else marks


def _labels(observed: JobObservation, wanted: EffectiveSpec, task: Task, index: int) -> dict[str, str]:
    job = observed.job.metadata
    labels = {**_template(task, "labels"), **_marks(observed, wanted, task, index), names.JOB_NAMESPACE: job.namespace}
    partition = task.partition(index)
    if partition is not None:
        labels[names.PARTITION_ID] = str(partition)
    return labels | {key: job.labels[key] for key in _COPIED if key in job.labels}


def _annotations(
    observed: JobObservation, wanted: EffectiveSpec, record: JobRecord, task: Task, index: int
) -> dict[str, str]:
    job = observed.job.metadata
    annotations = {
        **_template(task, "annotations"),
        **_marks(observed, wanted, task, index),
        names.JOB_VERSION: str(record.version),
        names.JOB_RETRY_COUNT: str(record.retries),
        names.TEMPLATE_UID: f"{job.name}-{task.name}",
        names.GROUP_NAME: podgroup_name(job.name, job.uid),
    }
    if task.spec.topology_policy:
        annotations[names.NUMA_TOPOLOGY_POLICY] = task.spec.topology_policy.value
    budget = next((key for key in _DISRUPTION_BUDGETS if key in job.annotations), None)
    copied = (*_COPIED_ANNOTATIONS, *((budget,) if budget else ()))
    return annotations | {key: job.annotations[key] for key in copied if key in job.annotations}


def _template(task: Task, field: str) -> dict[str, Any]:
    return (task.spec.template.get("metadata") or {}).get(field) or {}


def _spec(observed: JobObservation, wanted: EffectiveSpec, task: Task) -> Body:
    """The spec of the template with defaults. Pods of a batch Job are not restarted for ever by default."""
    spec: Body = {"restartPolicy": "Never", **(task.spec.template.get("spec") or {})}
    spec["schedulerName"] = spec.get("schedulerName") or wanted.scheduler
    if observed.job.spec.priority_class_name and not spec.get("priorityClassName"):
        spec["priorityClassName"] = observed.job.spec.priority_class_name
    if spec.get("hostNetwork") and not spec.get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirstWithHostNet"
    return spec
