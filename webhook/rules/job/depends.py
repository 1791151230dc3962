"""Dependencies between tasks exist and have no cycle (docs/design/volcano-behaviour.md, section 2.3)."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from shared.graphs import directed
from shared.model.job import LifecyclePolicy
from shared.model.phases import JobAction, JobEvent, TaskIteration
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean, supported_values
from webhook.subject.subjects import JobSubject

_CYCLES: Final = 20  # maximum number of cycles that are reported
_ITERATIONS: Final = tuple(TaskIteration)


def task_dependencies_exist(job: JobSubject) -> Iterator[Violation]:
    edges = _edges(job)
    for index, task in enumerate(job.tasks):
        for position, name in enumerate(task.depends_on.name if task.depends_on else ()):
            if name not in edges and not job.open(name):
                message = f'no task named "{name}"{did_you_mean(name, edges)}'
                yield Violation(f"spec.tasks[{index}].dependsOn.name[{position}]", message, name)


def task_dependencies_are_named_once(job: JobSubject) -> Iterator[Violation]:
    for index, task in enumerate(job.tasks):
        seen: set[str] = set()
        for position, name in enumerate(task.depends_on.name if task.depends_on else ()):
            if name in seen:
                where = f"spec.tasks[{index}].dependsOn.name[{position}]"
                yield Violation(where, "duplicate: the task is already listed", name, Reason.DUPLICATE)
            seen.add(name)


def task_iteration_is_known(job: JobSubject) -> Iterator[Violation]:
    """Checked here because the schema accepts any text, as Volcano's does. Volcano treats unknown text as `all`."""
    for index, task in enumerate(job.tasks):
        given = (task.depends_on.iteration if task.depends_on else "") or TaskIteration.ALL
        if given not in _ITERATIONS and not job.open(given):
            message = supported_values(given, _ITERATIONS)
            yield Violation(f"spec.tasks[{index}].dependsOn.iteration", message, given, Reason.NOT_SUPPORTED)


def task_dependencies_have_no_cycle(job: JobSubject) -> Iterator[Violation]:
    for path in islice(directed.cycles(_edges(job)), _CYCLES):
        message = f"dependencies between tasks must form a directed acyclic graph (DAG): cycle {' -> '.join(path)}"
        yield Violation("spec.tasks", message)


def tasks_that_wait_for_servers(job: JobSubject) -> Iterator[str]:
    """Warn about manifests written for Volcano, where a dependent task starts once its targets are ready.

    They are recognized by a policy that completes the Job when the dependent task completes.
    """
    for index, task in enumerate(job.tasks):
        needs = task.depends_on
        if needs is not None and needs.name and needs.condition is None and any(map(_ends_the_job, task.policies)):
            yield f"spec.tasks[{index}].dependsOn: waits until {', '.join(needs.name)} completed; to wait until ready: condition: Ready"


def _ends_the_job(policy: LifecyclePolicy) -> bool:
    completed = JobEvent.TASK_COMPLETED in (policy.event, *policy.events)
    return completed and policy.action == JobAction.COMPLETE_JOB


def _edges(job: JobSubject) -> dict[str, tuple[str, ...]]:
    return {
        task.name or f"default{index}": task.depends_on.name if task.depends_on else ()
        for index, task in enumerate(job.tasks)
    }
