"""`env` and `envFrom` of a container."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import config_key, dns_label, dns_subdomain, env_name, qualified_name
from shared.quantity import QuantityError, quantity
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
_CPU_DIVISORS: Final = ("1m", "1")
_DIVISORS: Final = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
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


def file_volumes(container: Field, known: Mapping[str, str]) -> Iterator[Violation]:
    """`known`: sources of the pod's volumes by name. Variables from files need an emptyDir."""
    for variable in container.get("env").items:
        name = variable.get("valueFrom").get("fileKeyRef").get("volumeName")
        if name.text and name.text not in known:
            yield name.not_found()
        elif name.text and known[name.text] != "emptyDir":
            yield name.invalid("referenced volume must be of type emptyDir")


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
        # Kubernetes checks it as a prefix, which may end with a dash.
        text = f"{name.text[:-1]}a" if len(name.text) > 1 and name.text.endswith("-") else name.text
        yield from name.each(dns_subdomain(text))
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


def _file_key_ref(field: Field) -> Iterator[Violation]:
    key, volume, path = (field.get(name) for name in ("key", "volumeName", "path"))
    for part in (key, volume, path):
        if not part.text:
            yield part.required()
    if key.text:
        yield from key.each(env_name(key.text))
    if volume.text:
        yield from volume.each(dns_label(volume.text))
    if ".." in path.text.split("/"):
        yield path.invalid("must not contain '..'")


def field_ref(field: Field, fields: Sequence[str]) -> Iterator[Violation]:
    """A field of the pod. `fields`: those that are allowed here; labels and annotations may have a subscript."""
    path, version = field.get("fieldPath"), field.get("apiVersion").text
    if version not in ("", "v1"):
        yield path.invalid(f"error converting fieldPath: unsupported pod version: {version}")
    name, bracket, rest = path.text.partition("[")
    if not path.text:
        yield path.required()
    elif path.text in fields or (path.text in _LEGACY_FIELDS and "spec.nodeName" in fields):
        return
    elif bracket and rest.startswith("'") and rest.endswith("']"):
        key = rest[1:-2]
        if name not in ("metadata.labels", "metadata.annotations"):
            yield path.invalid(f"error converting fieldPath: field label does not support subscript: {path.text}")
        shown = key.lower() if name == "metadata.annotations" else key
        yield from (Violation(field.path, message, shown) for message in qualified_name(shown))
    else:
        message = f"error converting fieldPath: field label not supported: {path.text}"
        yield path.invalid(f"{message}; supported: {', '.join(fields)}")


def resource_ref(field: Field, of_volume: bool = False) -> Iterator[Violation]:
    """A request or limit of a container, which files in volumes must name."""
    resource, container = field.get("resource"), field.get("containerName")
    huge = resource.text.startswith(("limits.hugepages-", "requests.hugepages-"))
    if of_volume and not container.text:
        yield container.required()
    elif not resource.text:
        yield resource.required()
    elif not huge:
        yield from resource.one_of(*_AMOUNTS)
    yield from _divisor(field.get("divisor"), resource.text)


def _divisor(field: Field, resource: str) -> Iterator[Violation]:
    try:
        divisor = quantity(field.value if field.present else 0)
    except QuantityError as error:
        yield field.invalid(str(error))
        return
    if divisor.nanos == 0 or not resource:
        return
    name = resource.partition(".")[2]
    allowed = _CPU_DIVISORS if name == "cpu" else _DIVISORS
    known = name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-")
    if known and str(divisor) not in allowed:
        yield Violation(
            field.path, f"only divisor's values {', '.join(allowed)} are supported with {resource}", str(divisor)
        )


_CHECKS: Final[dict[str, Callable[[Field], Iterator[Violation]]]] = {
    "fieldRef": lambda field: field_ref(field, _FIELDS),
    "resourceFieldRef": resource_ref,
    "configMapKeyRef": _key_ref,
    "secretKeyRef": _key_ref,
    "fileKeyRef": _file_key_ref,
}
