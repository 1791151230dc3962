"""Plugins of a Job: known, with good arguments, role tasks and names that DNS can bear (shared.plugin_rules)."""

from collections.abc import Iterator

from shared.plugin_rules import check_plugins, role_task
from shared.violation import Violation
from webhook.subject import JobSubject


def plugins_can_work(job: JobSubject) -> Iterator[Violation]:
    if not job.spec.plugins:
        return
    tasks = [
        role_task(task.name or f"default{index}", task.replicas, task.template)
        for index, task in enumerate(job.spec.tasks or ())
    ]
    yield from check_plugins(job.spec.plugins, None if job.template else job.name, tasks)
