"""Plugins of a Job: known, with good arguments, role tasks and names that are valid in DNS (shared.plugins.rules)."""

from collections.abc import Iterator
from typing import Any, Final

from shared.plugins.arguments import required_plugins
from shared.plugins.rules import RoleTask, check_plugins, role_task, role_warnings
from shared.violation import Reason, Violation
from webhook.subject.subjects import JobSubject

_MOST: Final = 64  # maximum number of plugins of a Job and of arguments of a plugin


def plugins_are_not_too_many(job: JobSubject) -> Iterator[Violation]:
    plugins = job.spec.plugins or {}
    if len(plugins) > _MOST:
        yield Violation("spec.plugins", f"{len(plugins)}: must have at most {_MOST} items", reason=Reason.TOO_MANY)
        return
    for name, words in plugins.items():
        if len(words or ()) > _MOST:
            message = f"{len(words or ())}: must have at most {_MOST} items"
            yield Violation(f"spec.plugins.{name}", message, reason=Reason.TOO_MANY)


def plugins_can_work(job: JobSubject) -> Iterator[Violation]:
    """Plugins of a JobTemplate with placeholders in their arguments are validated when the Job is created."""
    if settled := _settled(job):
        yield from check_plugins(settled, None if job.template else job.name, _role_tasks(job))


def plugins_are_enabled(job: JobSubject) -> Iterator[Violation]:
    plugins = job.spec.plugins or {}
    for name in dict.fromkeys((*plugins, *required_plugins(plugins))):
        if name in job.disabled_plugins:
            users = ", ".join(each for each in plugins if each != name and name in required_plugins({each: ()}))
            needed = f" ({users} needs it)" if users else ""
            message = f"plugin {name} is disabled in this cluster{needed}; ask its administrator to enable it"
            yield Violation(f"spec.plugins.{name}", message, reason=Reason.FORBIDDEN)


def plugins_without_their_tasks(job: JobSubject) -> Iterator[str]:
    """Warn about tasks that a plugin expects. Volcano accepts such Jobs, and manifests have them."""
    yield from role_warnings(_settled(job), _role_tasks(job))


def _settled(job: JobSubject) -> dict[str, Any]:
    plugins = job.spec.plugins or {}
    return {
        name: words
        for name, words in (plugins.items() if len(plugins) <= _MOST else ())
        if len(words or ()) <= _MOST and not any(map(job.open, (name, *(words or ()))))
    }


def _role_tasks(job: JobSubject) -> list[RoleTask]:
    return [
        role_task(task.name or f"default{index}", task.replicas, task.template) for index, task in enumerate(job.tasks)
    ]
