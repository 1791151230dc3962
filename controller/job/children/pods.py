"""Task and index -> pod body (volcano-behaviour.md 1.10, 3.1), shaped by volumes, plugins and the gang backend."""

from typing import Any, Final

from controller.job.children.volumes import mounted
from controller.job.decide.defaults import Task, Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.observed import JobSeen
from controller.plugin_api import JobShape, PodSlot
from controller.plugins import shape_pod
from shared import names
from shared.kinds import JOB, POD
from shared.model.types import Body
from shared.naming import pod_name, podgroup_name

_COPIED: Final = (names.PREEMPTABLE, names.COOLDOWN_TIME)
_COPIED_ANNOTATIONS: Final = (*_COPIED, names.REVOCABLE_ZONE)
_DISRUPTION_BUDGETS: Final = (names.JDB_MIN_AVAILABLE, names.JDB_MAX_UNAVAILABLE)


def owner_reference(seen: JobSeen) -> Body:
    metadata = seen.job.metadata
    owner = {"apiVersion": JOB.api_version, "kind": JOB.kind, "name": metadata.name, "uid": metadata.uid}
    return {**owner, "controller": True, "blockOwnerDeletion": True}


def pod_body(seen: JobSeen, wanted: Wanted, ledger: Ledger, shape: JobShape, task: Task, index: int) -> Body:
    """The pod to create for replica `index` of `task`."""
    metadata = seen.job.metadata
    group = podgroup_name(metadata.name, metadata.uid)
    body: Body = {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": {
            "name": pod_name(metadata.name, task.name, index),
            "namespace": metadata.namespace,
            "labels": _labels(seen, wanted, task, index),
            "annotations": _annotations(seen, wanted, ledger, task, index),
            "ownerReferences": [owner_reference(seen)],
        },
        "spec": _spec(seen, wanted, task),
    }
    shaped = shape_pod(mounted(body, seen.job), PodSlot(task.name, index), shape)
    return seen.settings.backend.shape_pod(shaped, group)


def is_forwarded(seen: JobSeen) -> bool:
    """Whether the queue reaches into other clusters."""
    return seen.queue is not None and bool(seen.queue.spec.extend_clusters)


def _marks(seen: JobSeen, wanted: Wanted, task: Task, index: int) -> dict[str, str]:
    """What labels and annotations both say."""
    marks = {
        names.TASK_INDEX: str(index),
        names.TASK_SPEC: task.name,
        names.JOB_NAME: seen.job.metadata.name,
        names.QUEUE_NAME: wanted.queue,
    }
    return {**marks, names.JOB_FORWARDING: "true"} if is_forwarded(seen) else marks


def _labels(seen: JobSeen, wanted: Wanted, task: Task, index: int) -> dict[str, str]:
    job = seen.job.metadata
    labels = {**_template(task, "labels"), **_marks(seen, wanted, task, index), names.JOB_NAMESPACE: job.namespace}
    partition = task.partition(index)
    if partition is not None:
        labels[names.PARTITION_ID] = str(partition)
    return labels | {key: job.labels[key] for key in _COPIED if key in job.labels}


def _annotations(seen: JobSeen, wanted: Wanted, ledger: Ledger, task: Task, index: int) -> dict[str, str]:
    job = seen.job.metadata
    annotations = {
        **_template(task, "annotations"),
        **_marks(seen, wanted, task, index),
        names.JOB_VERSION: str(ledger.version),
        names.JOB_RETRY_COUNT: str(ledger.retries),
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


def _spec(seen: JobSeen, wanted: Wanted, task: Task) -> Body:
    """The template's spec with absent read as default; a batch pod is not restarted for ever by default."""
    spec: Body = {"restartPolicy": "Never", **(task.spec.template.get("spec") or {})}
    spec["schedulerName"] = spec.get("schedulerName") or wanted.scheduler
    if seen.job.spec.priority_class_name and not spec.get("priorityClassName"):
        spec["priorityClassName"] = seen.job.spec.priority_class_name
    if spec.get("hostNetwork") and not spec.get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirstWithHostNet"
    return spec
