"""Fields that a pod may not have because of `os.name`."""

from collections.abc import Iterator, Sequence
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.security.windows import host_processes
from shared.violation import Violation

_NOT_WINDOWS: Final = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
_NOT_WINDOWS_CONTAINER: Final = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)


def operating_system(spec: Field, containers: Sequence[Field]) -> Iterator[Violation]:
    yield from host_processes(spec, containers)
    system = spec.get("os")
    if not system.present:
        return
    name = system.get("name")
    if not name.text:
        yield name.required()
    yield from Field(system.path, name.value).one_of("linux", "windows")
    if name.text == "linux":
        yield from _linux(spec, containers)
    elif name.text == "windows":
        yield from _windows(spec, containers)


def _linux(spec: Field, containers: Sequence[Field]) -> Iterator[Violation]:
    for place in (spec, *containers):
        options = place.get("securityContext").get("windowsOptions")
        if options.present:
            yield options.forbidden("windows options cannot be set for a linux pod")


def _windows(spec: Field, containers: Sequence[Field]) -> Iterator[Violation]:
    context = spec.get("securityContext")
    fields = [context.get(name) for name in _NOT_WINDOWS]
    fields += [spec.get(name) for name in ("hostUsers", "shareProcessNamespace")]
    fields += [spec.get(name) for name in ("hostPID", "hostIPC") if spec.get(name).true]
    fields += [context.get("sysctls")] if context.get("sysctls").holds else []
    for container in containers:
        fields += [container.get("securityContext").get(name) for name in _NOT_WINDOWS_CONTAINER]
    for field in fields:
        if field.present:
            yield field.forbidden("cannot be set for a windows pod")
    if spec.get("resources").present:
        yield spec.get("resources").forbidden("may not be set for a windows pod")
