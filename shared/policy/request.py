"""The variable `request` of policies' rules: its fields are those of ValidatingAdmissionPolicies, and `uid`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.expressions import FieldPath, nearest
from shared.kinds import Kind
from shared.model.types import Body

_KIND: Final = ("group", "version", "kind")
_RESOURCE: Final = ("group", "version", "resource")
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "uid": (),
    "kind": _KIND,
    "resource": _RESOURCE,
    "subResource": (),
    "requestKind": _KIND,
    "requestResource": _RESOURCE,
    "requestSubResource": (),
    "name": (),
    "namespace": (),
    "operation": (),
    "userInfo": ("username", "uid", "groups", "extra"),
    "dryRun": (),
    "options": (),
}
_ABSENT: Final = ("subResource", "requestSubResource")


def request_variable(
    kind: Kind,
    *,
    operation: str,
    name: str,
    namespace: str,
    user: Mapping[str, Any],
    dry_run: bool = False,
    uid: str = "",
    options: Body | None = None,
) -> Body:
    """A request for an object itself: policies judge no subresources, so that both of their fields are absent, as in
    Kubernetes. `options`: CreateOptions, UpdateOptions or DeleteOptions. Webhooks are called for the one version of each kind,
    so that what was asked for is what is judged.
    """
    of_kind = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    resource = {"group": kind.group, "version": kind.version, "resource": kind.plural}
    return {
        "uid": uid,
        "kind": of_kind,
        "resource": resource,
        "requestKind": of_kind,
        "requestResource": resource,
        "name": name,
        "namespace": namespace,
        "operation": operation,
        "userInfo": user,
        "dryRun": dry_run,
        "options": options or {"apiVersion": "meta.k8s.io/v1", "kind": f"{operation.title()}Options"},
    }


def request_faults(text: str, read: frozenset[FieldPath]) -> Iterator[str]:
    """What is wrong with the fields of `request` that an expression reads. `text`: the expression."""
    for _, field, *below in sorted(path for path in read if path[0] == "request" and len(path) > 1):
        known = _FIELDS.get(field)
        if known is None:
            yield f'request has no field "{field}"; {nearest(field, _FIELDS, "fields")}'
        elif known and below and below[0] not in known:
            yield f'request.{field} has no field "{below[0]}"; {nearest(below[0], known, "fields")}'
        elif field in _ABSENT and f"has(request.{field})" not in text and f"request.?{field}" not in text:
            yield f"policies judge no subresources, so request.{field} is always absent: remove it, or test has(request.{field})"
