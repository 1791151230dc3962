"""minAvailable of a Job and of its tasks: the default, and whether a stored value is one.

A value that no user has set follows every change of the replicas (client-side or server-side apply, patch, edit or
replace). A value that a user has set is kept.

Who has set the Job's own minAvailable is in metadata.managedFields and in kubectl's last-applied annotation: the API
server records no manager for a field that a mutating webhook sets. `spec.tasks` is an atomic list, which has one manager
as a whole, so the webhook itself records in an annotation which minimums it has set.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.model.job import JobSpec, TaskSpec
from shared.model.types import MOST_INT32
from shared.names import DEFAULTED_MINIMUMS, LAST_APPLIED
from webhook.envelope.patch import Setting
from webhook.subject.subjects import JobSubject, body_or_empty

FOLLOWING: Final = frozenset({"minAvailable", DEFAULTED_MINIMUMS})  # fields that these defaults set
_JOB: Final = "job"
_ALL: Final = "all"
_NO_OWNER: Final = "before-first-apply"  # the manager of everything that was set before the first server-side apply


class _Evidence:
    """What a Job records about who set its minimums."""

    def __init__(self, job: JobSubject) -> None:
        applied = _applied_spec(job)
        tasks = applied.get("tasks")
        managers = _managers(job)
        self._marks = frozenset(job.annotations.get(DEFAULTED_MINIMUMS, "").split(","))
        self._applied_tasks = tasks if isinstance(tasks, list) else []
        # A server-side apply sends the whole list, and whoever changes the list in another way takes it over.
        self._tasks_are_applied = any(each.get("operation") == "Apply" for each in _owners(managers, "f:tasks"))
        self.has_managers = bool(managers)
        self.job_is_set = applied.get("minAvailable") is not None or bool(_owners(managers, "f:minAvailable"))

    def is_marked(self, name: str) -> bool:
        return _ALL in self._marks or name in self._marks

    def task_is_set(self, index: int) -> bool:
        found = body_or_empty(self._applied_tasks[index]) if index < len(self._applied_tasks) else {}
        return self._tasks_are_applied or found.get("minAvailable") is not None


def minimum_defaults(job: JobSubject) -> Iterator[Setting]:
    """minAvailable of every task and of the Job where it is absent or was a default, and the annotation that says which.

    An update sets none where the stored object has none: that object was stored without a webhook.
    """
    evidence = _Evidence(job)
    tasks = [(index, task, _task_is_defaulted(job, evidence, index, task)) for index, task in enumerate(job.tasks)]
    for index, task, defaulted in tasks:
        if defaulted:
            yield Setting(("spec", "tasks", index, "minAvailable"), default_minimum(task))
    total = min(sum(default_minimum(task) if new else task_minimum(task) for _, task, new in tasks), MOST_INT32)
    own = bool(tasks) and _job_is_defaulted(job, evidence, total)
    if own:
        yield Setting(("spec", "minAvailable"), total)
    names = [_mark(index, task) for index, task, defaulted in tasks if defaulted]
    text = _ALL if own and len(names) == len(tasks) else ",".join([_JOB, *names] if own else names)
    if text or DEFAULTED_MINIMUMS in job.annotations:
        yield Setting(("metadata", "annotations", DEFAULTED_MINIMUMS), text)


def task_minimum(task: TaskSpec) -> int:
    """minAvailable of a task, or its default."""
    return default_minimum(task) if task.min_available is None else task.min_available


def default_minimum(task: TaskSpec) -> int:
    """The least number of whole partitions where the task names one, else all replicas."""
    partitions = task.partition_policy
    least = (partitions.min_partitions or 0) * partitions.partition_size if partitions else 0
    return least or task.replicas


def _task_is_defaulted(job: JobSubject, evidence: _Evidence, index: int, task: TaskSpec) -> bool:
    before = _old_task(job.old_spec, index)
    if task.min_available is None:
        return job.creating or (before is not None and before.min_available is not None)
    marked = evidence.is_marked(_mark(index, task))
    if job.creating:  # a second call of this webhook, or a copy of a stored Job
        return marked and task.min_available == default_minimum(task)
    unchanged = before is not None and before.min_available == task.min_available
    return unchanged and marked and not evidence.task_is_set(index)


def _job_is_defaulted(job: JobSubject, evidence: _Evidence, default: int) -> bool:
    value = job.spec.min_available
    before = None if job.old_spec is None else job.old_spec.min_available
    if value is None:
        return job.creating or before is not None
    if job.creating:
        return value == 0 or (value == default and evidence.is_marked(_JOB))  # an update may set 0
    return before == value and not evidence.job_is_set and (evidence.has_managers or evidence.is_marked(_JOB))


def _old_task(old: JobSpec | None, index: int) -> TaskSpec | None:
    tasks = (old.tasks or ()) if old else ()
    return tasks[index] if index < len(tasks) else None


def _managers(job: JobSubject) -> list[Mapping[str, Any]]:
    """The managers that the API server recorded for the main resource; none where it records none."""
    entries = job.metadata.get("managedFields")
    known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [entry for entry in known if not entry.get("subresource") and entry.get("manager") != _NO_OWNER]


def _owners(managers: list[Mapping[str, Any]], field: str) -> list[Mapping[str, Any]]:
    """The managers of `managers` that have set a field of spec."""
    return [each for each in managers if field in body_or_empty(body_or_empty(each.get("fieldsV1")).get("f:spec"))]


def _applied_spec(job: JobSubject) -> Mapping[str, Any]:
    """The spec in the manifest of the last client-side `kubectl apply`. After `kubectl edit` the annotation holds no
    manifest but the whole stored object, which has a uid."""
    try:
        manifest = body_or_empty(json.loads(job.annotations.get(LAST_APPLIED) or "{}"))
    except ValueError:
        return {}
    stored = "uid" in body_or_empty(manifest.get("metadata"))
    return {} if stored else body_or_empty(manifest.get("spec"))


def _mark(index: int, task: TaskSpec) -> str:
    return f"tasks.{task.name or f'default{index}'}"
