"""Validates the plugins of a Job: known names, valid arguments, existing role tasks, names that are valid in DNS.

Webhook and CLI use the same rules. Volcano checks only the plugin's name and the master of mpi
(docs/design/volcano-behaviour.md, section 2.3); the other faults would otherwise appear only when the pods run.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from shared.names import MAX_NAME
from shared.plugins.arguments import ARGUMENTS, Parsed, Plugins, hint, plugin_arguments, required_plugins
from shared.violation import Reason, Violation

# Role flags (Python field names) of each plugin. Volcano refuses a Job without the REQUIRED ones; the plugin does what it
# can without the others. Of ANY at least one is needed for the plugin to have an effect.
REQUIRED: Final[dict[str, tuple[str, ...]]] = {"mpi": ("master",)}
EXPECTED: Final[dict[str, tuple[str, ...]]] = {"mpi": ("worker",), "pytorch": ("master",), "ray": ("head",)}
ANY: Final[dict[str, tuple[str, ...]]] = {
    "tensorflow": ("ps", "worker", "chief", "evaluator"),
    "hcclrank": ("master", "worker"),
}
ROLES: Final[dict[str, tuple[str, ...]]] = {
    **ANY,
    "mpi": ("master", "worker"),
    "pytorch": ("master", "worker"),
    "ray": ("head", "worker"),
}

_KNOWN: Final = ", ".join(sorted(ARGUMENTS))
_SERVICE_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SERVICE_FAULT: Final = (
    "plugin svc creates a Service of this name: a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex "
    "used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_HEAD_SERVICE: Final = "-head-svc"


class RoleTask(msgspec.Struct, frozen=True):
    """The parts of a task that these rules read. `hostname`: set by the template; `has_rank`: a container sets RANK."""

    name: str
    replicas: int = 1
    hostname: str = ""
    has_rank: bool = False


def role_task(name: str, replicas: int, template: Any) -> RoleTask:
    """A RoleTask from a raw pod template. Malformed values count as absent."""
    spec = template.get("spec") if isinstance(template, dict) else None
    spec = spec if isinstance(spec, dict) else {}
    hostname = spec.get("hostname")
    has_rank = any(
        isinstance(variable, dict) and variable.get("name") == "RANK"
        for container in _items(spec.get("containers"))
        for variable in _items(container.get("env") if isinstance(container, dict) else None)
    )
    return RoleTask(name, replicas, hostname if isinstance(hostname, str) else "", has_rank)


def check_plugins(plugins: Plugins, job_name: str | None, tasks: Iterable[RoleTask]) -> Iterator[Violation]:
    """Every fault of `spec.plugins`. `job_name` None: not known yet (a JobTemplate), so names are not checked."""
    present = tuple(tasks)
    parsed = plugin_arguments(plugins)
    yield from known_plugins(plugins)
    for name in parsed:
        yield from parsed[name].violations
        yield from role_tasks_exist(name, parsed, present)
    if job_name:
        yield from names_fit(job_name, parsed, present)


def known_plugins(plugins: Plugins) -> Iterator[Violation]:
    for name in plugins:
        if name not in ARGUMENTS:
            near = hint(name, ARGUMENTS)
            message = f"unable to find job plugin {name}{near}{' Known' if near else '; known'} plugins: {_KNOWN}"
            yield Violation(f"spec.plugins.{name}", message, name, Reason.NOT_SUPPORTED)


def role_tasks_exist(plugin: str, parsed: dict[str, Parsed], tasks: tuple[RoleTask, ...]) -> Iterator[Violation]:
    """Tasks without which Volcano refuses the Job."""
    for role, task, path, message in _missing_roles(plugin, parsed, tasks):
        if role in REQUIRED.get(plugin, ()):
            yield Violation(path, message, task, Reason.NOT_FOUND)


def role_warnings(plugins: Plugins, tasks: Iterable[RoleTask]) -> Iterator[str]:
    """Missing tasks that a plugin expects or a flag names. The plugin works without them as far as possible."""
    present = tuple(tasks)
    parsed = plugin_arguments(plugins)
    names = {task.name for task in present}
    for plugin in parsed:
        for role, task, path, _ in _missing_roles(plugin, parsed, present):
            if role not in REQUIRED.get(plugin, ()):
                yield f'{path}: no task "{task}" (--{role}): the plugin is set up without it{hint(task, names)}'
        wanted = {getattr(parsed[plugin].arguments, role): role for role in ANY.get(plugin, ())}
        ranked_already = plugin == "hcclrank" and ("pytorch" in plugins or any(task.has_rank for task in present))
        if wanted and not names & set(wanted) and not ranked_already:
            yield f"spec.plugins.{plugin}: no effect: none of the tasks {', '.join(wanted)} exists (see its flags)"


def _missing_roles(
    plugin: str, parsed: dict[str, Parsed], tasks: tuple[RoleTask, ...]
) -> Iterator[tuple[str, str, str, str]]:
    """(role, task, path, message) of each role whose task is missing and that the plugin expects or a flag names."""
    names = {task.name for task in tasks}
    arguments, given = parsed[plugin].arguments, parsed[plugin].given
    expected = (*REQUIRED.get(plugin, ()), *EXPECTED.get(plugin, ()))
    for role in ROLES.get(plugin, ()):
        task = getattr(arguments, role)
        if task in names or not (role in given or role in expected):
            continue
        path = f"spec.plugins.{plugin}" + (f"[{given[role]}]" if role in given else "")
        remedy = f"name one with --{role}=TASK or add the task{hint(task, names)}"
        yield role, task, path, f"{plugin} {role} task not found: {remedy}"


def names_fit(job_name: str, parsed: dict[str, Parsed], tasks: tuple[RoleTask, ...]) -> Iterator[Violation]:
    """The Job's name must be valid for a Service, and the longest pod name of each task for a hostname."""
    if "svc" not in parsed:
        return
    if fault := service_fault(job_name):
        yield Violation("metadata.name", fault, job_name)
    if "ray" in parsed and len(job_name + _HEAD_SERVICE) > MAX_NAME:
        message = f"plugin ray creates a Service {job_name + _HEAD_SERVICE}: must be no more than {MAX_NAME} characters"
        yield Violation("metadata.name", message, job_name)
    for index, task in enumerate(tasks):
        hostname = f"{job_name}-{task.name}-{max(task.replicas - 1, 0)}"
        if not task.hostname and len(hostname) > MAX_NAME:
            message = f"plugin svc sets the hostname {hostname}: must be no more than {MAX_NAME} characters"
            yield Violation(f"spec.tasks[{index}].name", message, task.name)


def service_fault(job_name: str) -> str | None:
    """Why the Job's name is not valid for a Service, or None."""
    return None if _SERVICE_NAME.fullmatch(job_name) else _SERVICE_FAULT


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


__all__ = [
    "RoleTask",
    "check_plugins",
    "known_plugins",
    "names_fit",
    "required_plugins",
    "role_task",
    "role_tasks_exist",
    "role_warnings",
    "service_fault",
]
