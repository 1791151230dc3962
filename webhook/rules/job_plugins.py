"""Plugins of a Job: known, with good arguments, role tasks and names that DNS can bear (shared.plugin_rules)."""

from collections.abc import Iterator

from shared.plugin_rules import check_plugins, role_task
from shared.violation import Violation
from webhook.subject import JobSubject


def plugins_can_work(job: JobSubject) -> Iterator[Violation]:
    """Plugins of a JobTemplate whose arguments are yet to be filled in are judged when the Job is made."""
    settled = {
        name: words
        for name, words in (job.spec.plugins or {}).items()
        if not any(map(job.open, (name, *(words or ()))))
    }
    if not settled:
        return
    tasks = [
        role_task(task.name or f"default{index}", task.replicas, task.template)
        for index, task in enumerate(job.spec.tasks or ())
    ]
    yield from check_plugins(settled, None if job.template else job.name, tasks)
