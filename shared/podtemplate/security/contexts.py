"""The fields of one `securityContext`."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import descending_path, user_id
from shared.podtemplate.security.sysctls import sysctls
from shared.podtemplate.security.windows import windows_options
from shared.violation import Reason, Violation

_PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")
_LONGEST_PROFILE: Final = 4095


def pod_security(spec: Field) -> Iterator[Violation]:
    field = spec.get("securityContext")
    if not field.present:
        return
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from _identity(field.get(name))
    for group in field.get("supplementalGroups").items:
        yield from _identity(group)
    yield from field.get("fsGroupChangePolicy").one_of_given("Always", "OnRootMismatch")
    yield from field.get("supplementalGroupsPolicy").one_of_given("Merge", "Strict")
    yield from field.get("seLinuxChangePolicy").one_of_given("Recursive")  # MountOption needs a feature gate
    yield from _profiles(field)
    yield from sysctls(field.get("sysctls"), spec)
    yield from windows_options(field.get("windowsOptions"))


def container_security(field: Field, host_users: bool) -> Iterator[Violation]:
    """`host_users`: whether the pod uses the host's user namespace, which is the default."""
    if not field.present:
        return
    for name in ("runAsUser", "runAsGroup"):
        yield from _identity(field.get(name))
    proc = field.get("procMount")
    yield from proc.one_of_given("Default", "Unmasked")
    if proc.text == "Unmasked" and host_users:
        yield proc.invalid("`hostUsers` must be false to use `Unmasked`")
    yield from _profiles(field)
    yield from windows_options(field.get("windowsOptions"))
    if field.get("allowPrivilegeEscalation").value is False:
        if field.get("privileged").true:
            yield field.invalid("cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
        if any(one.text == "CAP_SYS_ADMIN" for one in field.get("capabilities").get("add").items):
            yield field.invalid("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")


def _identity(field: Field) -> Iterator[Violation]:
    if field.number is not None:
        yield from field.each(user_id(field.number))


def _profiles(field: Field) -> Iterator[Violation]:
    for name, title in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        profile = field.get(name)
        if not profile.present:
            continue
        kind, file = profile.get("type"), profile.get("localhostProfile")
        if not kind.text:
            yield kind.required(f"type is required when {name} is set")
        yield from kind.one_of(*_PROFILES)
        if kind.text == "Localhost":
            yield from _seccomp_file(file) if title == "seccomp" else _apparmor_file(file)
        elif file.present:
            yield file.invalid(f"can only be set when {title} type is Localhost")


def _seccomp_file(file: Field) -> Iterator[Violation]:
    if not file.present:
        yield file.required("must be set when seccomp type is Localhost")
    yield from file.each(descending_path(file.text))


def _apparmor_file(file: Field) -> Iterator[Violation]:
    if not file.text.strip() and file.text == file.text.strip():
        yield file.required("must be set when AppArmor type is Localhost")
    elif file.text != file.text.strip():
        yield file.invalid("must not be padded with whitespace")
    if len(file.text.encode()) > _LONGEST_PROFILE:
        yield Violation(file.path, f"may not be more than {_LONGEST_PROFILE} bytes", reason=Reason.TOO_LONG)
