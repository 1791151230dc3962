"""Annotations that Kubernetes reads from pods: profiles of older releases, deletion cost, tolerations, mirror pods."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import descending_path
from shared.podtemplate.scheduling import tolerations
from shared.violation import Reason, Violation

_MIRROR: Final = "kubernetes.io/config.mirror"
_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
_TOLERATIONS: Final = "scheduler.alpha.kubernetes.io/tolerations"
_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_LOCALHOST: Final = "localhost/"
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*|-0+[0-9]*", re.ASCII)
# What an annotation says for each type of a profile; None: anything with `localhost/` and the name of the file.
_TYPES: Final = {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default", "docker/default")}


def pod_annotations(field: Field, spec: Field) -> Iterator[Violation]:
    """`field`: metadata.annotations of the template."""
    values = {key: field.key(key) for key in field.keys if isinstance(field.value[key], str)}
    containers = [*spec.get("containers").items, *spec.get("initContainers").items]
    if _MIRROR in values and not spec.get("nodeName").text:
        yield values[_MIRROR].invalid("must set spec.nodeName if mirror pod annotation is set")
    if _MIRROR in values and spec.get("resourceClaims").holds:
        yield spec.get("resourceClaims").forbidden("static pods do not support resource claims")
    if _COST in values:
        yield from _deletion_cost(values[_COST])
    if _TOLERATIONS in values and values[_TOLERATIONS].text:
        yield from _tolerations(values[_TOLERATIONS])
    for key, value in values.items():
        if key == _SECCOMP_POD or key.startswith(_SECCOMP):
            yield from _seccomp(value)
        elif key.startswith(_APPARMOR):
            yield from _apparmor(value, key.removeprefix(_APPARMOR), containers)
    yield from _matching(values, spec, containers)


def _deletion_cost(field: Field) -> Iterator[Violation]:
    if not _INTEGER.fullmatch(field.text) or not -(2**31) <= int(field.text) < 2**31:
        yield field.invalid("must be a 32bit integer")


def _tolerations(field: Field) -> Iterator[Violation]:
    try:
        parsed = json.loads(field.text)
    except ValueError as error:
        yield field.invalid(f"must be a JSON list of tolerations: {error}")
        return
    if parsed is not None and not isinstance(parsed, list):
        yield field.invalid("must be a JSON list of tolerations")
    yield from tolerations(Field(field.path, parsed))


def _seccomp(field: Field) -> Iterator[Violation]:
    if field.text.startswith(_LOCALHOST):
        yield from field.each(descending_path(field.text.removeprefix(_LOCALHOST)))
    elif field.text not in ("runtime/default", "docker/default", "unconfined"):
        yield field.invalid("must be a valid seccomp profile")


def _apparmor(field: Field, name: str, containers: Sequence[Field]) -> Iterator[Violation]:
    if not any(container.get("name").text == name for container in containers):
        yield Violation(field.path, "container not found", name)
    if field.text not in ("", "runtime/default", "unconfined") and not field.text.startswith(_LOCALHOST):
        yield field.invalid(f'invalid AppArmor profile name: "{field.text}"')


def _matching(values: dict[str, Field], spec: Field, containers: Sequence[Field]) -> Iterator[Violation]:
    """Where both an annotation and a field give a profile, they must agree."""
    whole = spec.get("securityContext")
    if _SECCOMP_POD in values:
        yield from _same(values[_SECCOMP_POD].text, whole.get("seccompProfile"), "seccomp")
    for container in containers:
        context, name = container.get("securityContext"), container.get("name").text
        if f"{_SECCOMP}{name}" in values:
            yield from _same(values[f"{_SECCOMP}{name}"].text, context.get("seccompProfile"), "seccomp")
        if f"{_APPARMOR}{name}" in values and spec.get("os").get("name").text != "windows":
            own = context.get("appArmorProfile")
            profile = own if own.present else whole.get("appArmorProfile")
            yield from _same(values[f"{_APPARMOR}{name}"].text, profile, "apparmor")


def _same(annotation: str, profile: Field, title: str) -> Iterator[Violation]:
    kind = profile.get("type").text
    differs = f"{title} type in annotation and field must match"
    if (kind in _TYPES and annotation not in _TYPES[kind]) or (
        kind == "Localhost" and not annotation.startswith(_LOCALHOST)
    ):
        yield profile.get("type").forbidden(differs)
    elif kind == "Localhost" and annotation.removeprefix(_LOCALHOST) != profile.get("localhostProfile").text:
        message = f"{title} profile in annotation and field must match"
        yield Violation(profile.get("localhostProfile").path, message, annotation, Reason.FORBIDDEN)
