"""Which tasks wait for which: all exist, none waits for itself (volcano-behaviour.md 2.3 row 17, decisions rows 1-3)."""

from collections.abc import Iterator
from typing import Final

from shared.graphs import directed
from shared.model.job import LifecyclePolicy
from shared.model.phases import JobAction, JobEvent, TaskIteration
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean, supported_values
from webhook.subject.subjects import JobSubject

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
                yield Violation(where, "duplicate: the task is named already", name, Reason.DUPLICATE)
            seen.add(name)


def task_iteration_is_known(job: JobSubject) -> Iterator[Violation]:
    """A rule, since Volcano's schema takes any text here and so must ours; it means all to Volcano (decisions row 1)."""
    for index, task in enumerate(job.tasks):
        given = (task.depends_on.iteration if task.depends_on else "") or TaskIteration.ALL
        if given not in _ITERATIONS and not job.open(given):
            message = supported_values(given, _ITERATIONS)
            yield Violation(f"spec.tasks[{index}].dependsOn.iteration", message, given, Reason.NOT_SUPPORTED)


def task_dependencies_have_no_cycle(job: JobSubject) -> Iterator[Violation]:
    if path := directed.cycle(_edges(job)):
        message = f"dependencies between tasks must form a directed acyclic graph (DAG): cycle {' -> '.join(path)}"
        yield Violation("spec.tasks", message)


def tasks_that_wait_for_servers(job: JobSubject) -> Iterator[str]:
    """A warning for manifests written for Volcano, where dependents start once the others are ready (decisions row 1).

    Told by a policy that ends the Job, and with it the tasks waited for, when the dependent has completed.
    """
    for index, task in enumerate(job.tasks):
        needs = task.depends_on
        if needs is not None and needs.name and needs.condition is None and any(map(_ends_the_job, task.policies)):
            yield f"spec.tasks[{index}].dependsOn: waits until {', '.join(needs.name)} completed; if ready will do: condition: Ready"


def _ends_the_job(policy: LifecyclePolicy) -> bool:
    completed = JobEvent.TASK_COMPLETED in (policy.event, *policy.events)
    return completed and policy.action == JobAction.COMPLETE_JOB


def _edges(job: JobSubject) -> dict[str, tuple[str, ...]]:
    return {
        task.name or f"default{index}": task.depends_on.name if task.depends_on else ()
        for index, task in enumerate(job.tasks)
    }
