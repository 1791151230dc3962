"""Which tasks wait for which: all exist, none waits for itself (volcano-behaviour.md 2.3 row 17, decisions rows 1-3)."""

from collections.abc import Iterator

from shared import graph
from shared.violation import Reason, Violation
from webhook.subject import JobSubject
from webhook.words import did_you_mean


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


def task_dependencies_have_no_cycle(job: JobSubject) -> Iterator[Violation]:
    if path := graph.cycle(_edges(job)):
        message = f"dependencies between tasks must form a directed acyclic graph (DAG): cycle {' -> '.join(path)}"
        yield Violation("spec.tasks", message)


def _edges(job: JobSubject) -> dict[str, tuple[str, ...]]:
    return {
        task.name or f"default{index}": task.depends_on.name if task.depends_on else ()
        for index, task in enumerate(job.tasks)
    }
