"""Tasks of a Job exist, their names are valid, and minimum counts can be reached (docs/design/volcano-behaviour.md, 2.3)."""

import re
from collections.abc import Iterator
from typing import Final

from shared import naming
from shared.model.types import MOST_INT32
from shared.violation import Reason, Violation
from webhook.hints.names import label_fault, qualified_fault
from webhook.subject.subjects import MAX_TASKS, JobSubject, body_or_empty

_MANAGED_BY: Final = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9/._~!$&'()*+,;=:@%-]+"
)


def tasks_are_present(job: JobSubject) -> Iterator[Violation]:
    if not job.spec.tasks:
        yield Violation("spec.tasks", "no task specified in job spec", reason=Reason.REQUIRED)


def tasks_are_not_too_many(job: JobSubject) -> Iterator[Violation]:
    if len(job.spec.tasks or ()) > MAX_TASKS:
        message = f"{len(job.spec.tasks or ())}: must have at most {MAX_TASKS} items; use replicas for identical pods"
        yield Violation("spec.tasks", message, reason=Reason.TOO_MANY)


def task_names_are_labels(job: JobSubject) -> Iterator[Violation]:
    for index, task in enumerate(job.tasks):
        if task.name and not job.open(task.name) and (fault := label_fault(task.name)):
            yield Violation(f"spec.tasks[{index}].name", fault, task.name)


def task_names_are_unique(job: JobSubject) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, task in enumerate(job.tasks):
        name = task.name or f"default{index}"
        if name in seen:
            yield Violation(f"spec.tasks[{index}].name", f"duplicated task name {name}", name, Reason.DUPLICATE)
        seen.add(name)


def task_minimum_is_within_replicas(job: JobSubject) -> Iterator[Violation]:
    for index, task in enumerate(job.tasks):
        if task.min_available is not None and task.min_available > task.replicas:
            message = f"'minAvailable' is greater than 'replicas' ({task.replicas}) in task {task.name or index}"
            yield Violation(f"spec.tasks[{index}].minAvailable", message, task.min_available)


def job_minimum_is_within_replicas(job: JobSubject) -> Iterator[Violation]:
    if job.spec.tasks and job.spec.min_available is not None and job.spec.min_available > job.total_replicas:
        message = f"job 'minAvailable' should not be greater than total replicas in tasks ({job.total_replicas})"
        yield Violation("spec.minAvailable", message, job.spec.min_available)


def replicas_can_be_counted(job: JobSubject) -> Iterator[Violation]:
    """Pod counts in the status are int32."""
    if job.total_replicas > MOST_INT32:
        message = f"{job.total_replicas} replicas in all tasks: must be at most {MOST_INT32}"
        yield Violation("spec.tasks", message, reason=Reason.TOO_MANY)


def job_success_is_within_replicas(job: JobSubject) -> Iterator[Violation]:
    """Volcano accepts it and runs a Job that cannot succeed."""
    if job.spec.tasks and job.spec.min_success is not None and job.spec.min_success > job.total_replicas:
        message = f"job 'minSuccess' should not be greater than total replicas in tasks ({job.total_replicas}): it could never be reached"
        yield Violation("spec.minSuccess", message, job.spec.min_success)


def job_name_is_a_name(job: JobSubject) -> Iterator[Violation]:
    if not job.template and (fault := qualified_fault(job.name)):
        yield Violation("metadata.name", f"the name of a Job is used as a label of its pods: {fault}", job.name)


def managed_by_is_a_path(job: JobSubject) -> Iterator[Violation]:
    """managedBy must be a domain, a slash and a name, as for Kubernetes Jobs."""
    value = job.spec.managed_by
    if value and not job.open(value) and not _MANAGED_BY.fullmatch(value):
        message = "must be a domain-prefixed path, such as kueue.x-k8s.io/multikueue"
        yield Violation("spec.managedBy", message, value)


def pod_names_fit(job: JobSubject) -> Iterator[Violation]:
    """Checked for the last replica, whose name is the longest. Volcano uses the task's index instead."""
    if job.template or job.of_a_flow or qualified_fault(job.name):
        return
    for index, task in enumerate(job.tasks):
        name = naming.whole_pod_name(job.name, task.name or f"default{index}", max(task.replicas - 1, 0))
        if fault := qualified_fault(name):
            message = f"create pod with name {name} validate failed: {fault}; shorten the Job's or the task's name"
            yield Violation(f"spec.tasks[{index}].name", message, task.name)


def restart_policies_of_services(job: JobSubject) -> Iterator[str]:
    """Warn about restartPolicy Always: such a pod never completes."""
    for index, task in enumerate(job.tasks):
        if body_or_empty(task.template.get("spec")).get("restartPolicy") == "Always":
            yield f"spec.tasks[{index}].template: with restartPolicy Always its pods never complete"


def no_pod_is_asked_for(job: JobSubject) -> Iterator[str]:
    """Warn about a new Job without replicas: an absent `replicas` is 0, as in Volcano, and the Job runs no pods."""
    if job.creating and job.spec.tasks and not job.total_replicas:
        yield "spec.tasks: no task has replicas (absent means 0): no pod will run until replicas are set"
