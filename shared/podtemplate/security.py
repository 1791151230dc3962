"""`securityContext` of pods and containers."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import user_id
from shared.violation import Violation

_PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")


def pod_security(field: Field) -> Iterator[Violation]:
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from _identity(field.get(name))
    for group in field.get("supplementalGroups").items:
        yield from _identity(group)
    yield from field.get("fsGroupChangePolicy").one_of("Always", "OnRootMismatch")
    yield from field.get("supplementalGroupsPolicy").one_of("Merge", "Strict")
    yield from _profiles(field)


def container_security(field: Field) -> Iterator[Violation]:
    for name in ("runAsUser", "runAsGroup"):
        yield from _identity(field.get(name))
    yield from field.get("procMount").one_of("Default", "Unmasked")
    yield from _profiles(field)
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
        kind, file = profile.get("type"), profile.get("localhostProfile")
        yield from kind.one_of(*_PROFILES)
        if kind.text == "Localhost" and not file.text:
            yield file.required(f"must be set when {title} type is Localhost")
        elif kind.text in ("RuntimeDefault", "Unconfined") and file.present:
            yield file.invalid(f"can only be set when {title} type is Localhost")
