"""Validation of `metadata` for all kinds: names, labels, annotations, owners, finalizers, immutable fields."""

import re
import secrets
from collections.abc import Iterator
from typing import Any

from local.apiserver.errors import FieldError, forbidden_field, go_json, invalid, required, too_long
from local.apiserver.types.resources import Resource
from shared.model.types import Body

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = rf"({_QUALIFIED})?"
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    f"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_LABEL_1035}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_VALUE}')"
)
_LABEL_NAMES = {("", "namespaces"), ("", "services")}
_SEGMENT_NAMES = {"roles", "clusterroles", "rolebindings", "clusterrolebindings"}
_STANDARD_FINALIZERS = {"kubernetes", "orphan", "foregroundDeletion"}
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
MAX_ANNOTATIONS = 256 * 1024


def generate_name(base: str) -> str:
    """A name from `generateName`: at most 58 characters of it and five random ones."""
    return base[:58] + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def _full(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def dns_label_faults(text: str) -> list[str]:
    found = [] if len(text) <= 63 else ["must be no more than 63 bytes"]
    return found + ([] if _full(_LABEL, text) else [LABEL_TEXT])


def subdomain_faults(text: str) -> list[str]:
    found = [] if len(text) <= 253 else ["must be no more than 253 bytes"]
    return found + ([] if _full(_SUBDOMAIN, text) else [SUBDOMAIN_TEXT])


def _name_faults(resource: Resource, name: str) -> list[str]:
    if resource.plural in _SEGMENT_NAMES and resource.group == "rbac.authorization.k8s.io":
        return [f'may not contain "{part}"' for part in ("/", "%") if part in name]
    if resource.gr == ("", "services"):
        found = [] if len(name) <= 63 else ["must be no more than 63 bytes"]
        return found + ([] if _full(_LABEL_1035, name) else [LABEL_1035_TEXT])
    return dns_label_faults(name) if resource.gr in _LABEL_NAMES else subdomain_faults(name)


def validate(obj: Body, resource: Resource) -> Iterator[FieldError]:
    """Invalid metadata fields at any write."""
    meta = obj["metadata"]
    name = meta.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    for fault in _name_faults(resource, name) if name else ():
        yield invalid("metadata.name", name, fault)
    if resource.namespaced and not meta.get("namespace"):
        yield required("metadata.namespace")
    if not resource.namespaced and meta.get("namespace"):
        yield forbidden_field("metadata.namespace", "not allowed on this type")
    yield from labels("metadata.labels", meta.get("labels") or {})
    yield from _annotations(meta.get("annotations") or {})
    yield from _owners(meta.get("ownerReferences") or [])
    for finalizer in meta.get("finalizers") or ():
        yield from _finalizer(finalizer, resource)


def qualified_faults(key: str) -> list[str]:
    prefix, slash, name = key.rpartition("/")
    found = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {fault}" for fault in subdomain_faults(prefix)]
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append("name part must be no more than 63 bytes")
    return found if _full(_QUALIFIED, name) else [*found, _QUALIFIED_TEXT]


def labels(path: str, found: dict[str, str]) -> Iterator[FieldError]:
    for key, value in found.items():
        for fault in qualified_faults(key):
            yield invalid(path, key, fault)
        if len(value) > 63:
            yield invalid(path, value, "must be no more than 63 bytes")
        if not _full(_VALUE, value):
            yield invalid(path, value, _VALUE_TEXT)


def _annotations(found: dict[str, str]) -> Iterator[FieldError]:
    for key in found:
        for fault in qualified_faults(key.lower()):
            yield invalid("metadata.annotations", key, fault)
    if sum(len(key.encode()) + len(value.encode()) for key, value in found.items()) > MAX_ANNOTATIONS:
        yield too_long("metadata.annotations", MAX_ANNOTATIONS)


def _owners(found: list[Any]) -> Iterator[FieldError]:
    controllers = []
    for index, owner in enumerate(found):
        path = f"metadata.ownerReferences[{index}]"
        for key, text in (("apiVersion", "version"), ("kind", "kind"), ("name", "name"), ("uid", "uid")):
            if not owner.get(key):
                yield invalid(f"{path}.{key}", owner.get(key, ""), f"{text} must not be empty")
        if owner.get("controller"):
            controllers.append(owner.get("name", ""))
    if len(controllers) > 1:
        yield invalid(
            "metadata.ownerReferences",
            found,
            "Only one reference can have Controller set to true. "
            f'Found "true" in references for {controllers[0]} and {controllers[1]}',
        )


def _finalizer(name: str, resource: Resource) -> Iterator[FieldError]:
    for fault in qualified_faults(name):
        yield invalid("metadata.finalizers", name, fault)
    if not resource.custom and "/" not in name and name not in _STANDARD_FINALIZERS:
        yield invalid(
            "metadata.finalizers", name, "name is neither a standard finalizer name nor is it fully qualified"
        )


_FIXED = ("name", "namespace", "uid", "creationTimestamp")


def validate_update(new: Body, old: Body) -> Iterator[FieldError]:
    """Invalid metadata changes: identity is immutable, and an object being deleted gets no new finalizers."""
    after, before = new["metadata"], old["metadata"]
    for key in _FIXED:
        if after.get(key) != before.get(key):
            yield invalid(f"metadata.{key}", after.get(key), "field is immutable")
    if before.get("deletionTimestamp"):
        added = [name for name in after.get("finalizers") or () if name not in (before.get("finalizers") or ())]
        if added:
            shown = ", ".join(go_json(name) for name in added)
            yield forbidden_field(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{shown}}}",
            )
