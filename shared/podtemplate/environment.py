"""`env` and `envFrom` of a container."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import config_key, dns_subdomain, env_name, qualified_name
from shared.violation import Violation

_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_LEGACY_FIELDS: Final = ("spec.host",)
_AMOUNTS: Final = tuple(
    f"{side}.{name}" for side in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
)


def env(field: Field) -> Iterator[Violation]:
    for variable in field.items:
        name, source = variable.get("name"), variable.get("valueFrom")
        if not name.text:
            yield name.required()
        else:
            yield from name.each(env_name(name.text))
        if source.present:
            yield from _source(source, has_value=bool(variable.get("value").text))


def env_from(field: Field) -> Iterator[Violation]:
    for entry in field.items:
        if entry.get("prefix").text:
            yield from entry.get("prefix").each(env_name(entry.get("prefix").text))
        given = [entry.get(name) for name in ("configMapRef", "secretRef") if entry.get(name).present]
        for source in given:
            yield from _object_name(source.get("name"), must=True)
        if not given:
            yield Violation(entry.path, "must specify one of: `configMapRef` or `secretRef`", "")
        elif len(given) > 1:
            yield Violation(entry.path, "may not have more than one field specified at a time", "")


def _source(source: Field, has_value: bool) -> Iterator[Violation]:
    given = [name for name in _SOURCES if source.get(name).present]
    for name in given:
        if check := _CHECKS.get(name):
            yield from check(source.get(name))
    if not given:
        options = ", ".join(f"`{name}`" for name in _SOURCES[:-1])
        yield Violation(source.path, f"must specify one of: {options} or `{_SOURCES[-1]}`", "")
    elif has_value:
        yield Violation(source.path, "may not be specified when `value` is not empty", "")
    elif len(given) > 1:
        yield Violation(source.path, "may not have more than one field specified at a time", "")


def _object_name(name: Field, must: bool) -> Iterator[Violation]:
    if name.text:
        yield from name.each(dns_subdomain(name.text))
    elif must:
        yield name.required()


def _key_ref(field: Field) -> Iterator[Violation]:
    """A key of a ConfigMap or Secret. A missing name is reported as an invalid format, as in the API server."""
    yield from field.get("name").each(dns_subdomain(field.get("name").text))
    key = field.get("key")
    if key.text:
        yield from key.each(config_key(key.text))
    else:
        yield key.required()


def _field_ref(field: Field) -> Iterator[Violation]:
    path, version = field.get("fieldPath"), field.get("apiVersion").text
    if version not in ("", "v1"):
        yield path.invalid(f"error converting fieldPath: unsupported pod version: {version}")
    name, bracket, rest = path.text.partition("[")
    if not path.text or path.text in _FIELDS + _LEGACY_FIELDS:
        return
    if bracket and rest.startswith("'") and rest.endswith("']"):
        key = rest[1:-2]
        if name not in ("metadata.labels", "metadata.annotations"):
            yield path.invalid(f"error converting fieldPath: field label does not support subscript: {path.text}")
        shown = key.lower() if name == "metadata.annotations" else key
        yield from (Violation(field.path, message, shown) for message in qualified_name(shown))
    else:
        message = f"error converting fieldPath: field label not supported: {path.text}"
        yield path.invalid(f"{message}; supported: {', '.join(_FIELDS)}")


def _resource_ref(field: Field) -> Iterator[Violation]:
    resource = field.get("resource")
    if not resource.text.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield from resource.one_of(*_AMOUNTS)


_CHECKS: Final = {
    "fieldRef": _field_ref,
    "resourceFieldRef": _resource_ref,
    "configMapKeyRef": _key_ref,
    "secretKeyRef": _key_ref,
}
