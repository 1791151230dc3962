"""Builds requests to the API server as data, without I/O. `sender` sends them and returns answers."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from shared.kinds import Kind
from shared.model.types import Body

JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
TABLE: Final = f"{JSON};as=Table;v=v1;g=meta.k8s.io,{JSON}"  # objects as they are from a server that prints no tables
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"  # JSON is YAML
CONNECT_SECONDS: Final = 10.0  # to make a connection


class Request(msgspec.Struct, frozen=True):
    """One HTTP request. `verb`: the Kubernetes verb (get, list, watch, create...); `target`: path with query."""

    verb: str
    method: str
    target: str
    body: bytes | None = None
    content_type: str = JSON
    accept: str = JSON

    @property
    def reads(self) -> bool:
        return self.method == "GET"


class Answer(msgspec.Struct, frozen=True):
    """`code`: HTTP status; `body`: the whole body; `retry_after`: the header or ''; `warnings`: Warning headers."""

    code: int
    body: bytes
    retry_after: str = ""
    warnings: tuple[str, ...] = ()


def no_answer(host: str, request: Request, seconds: float) -> str:
    """The message of a Timeout after `seconds`."""
    return f"{host} has not answered {request.method} {request.target} within {seconds:.3g} s"


def path(kind: Kind, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """`/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE`. `namespace` is ignored for cluster-scoped kinds."""
    root = f"/apis/{kind.api_version}" if "/" in kind.api_version else f"/api/{kind.api_version}"
    parts = [root]
    if kind.namespaced and namespace:
        parts.append(f"namespaces/{quote(namespace, safe='')}")
    parts.append(kind.plural)
    if name:
        parts.append(quote(name, safe=""))
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


def target(where: str, query: Mapping[str, object] | None = None) -> str:
    """The path `where` with the query values that are not empty."""
    given = {key: value for key, value in (query or {}).items() if value not in (None, "", False)}
    if not given:
        return where
    return f"{where}?{urlencode({key: 'true' if value is True else value for key, value in given.items()})}"


def get(kind: Kind, namespace: str, name: str) -> Request:
    return Request("get", "GET", path(kind, namespace, name))


def list_page(
    kind: Kind,
    namespace: str = "",
    *,
    label_selector: str = "",
    field_selector: str = "",
    limit: int = 0,
    continue_token: str = "",
    printed: bool = False,
) -> Request:
    """One page of a list. Without `resourceVersion`, so the answer is at least as new as every earlier write.

    `printed`: the columns that kubectl shows instead of the objects.
    """
    query = {
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
        "limit": limit or None,
        "continue": continue_token,
        # the namespaces of a list of all of them are in the metadata
        "includeObject": ("None" if namespace else "Metadata") if printed else "",
    }
    return Request("list", "GET", target(path(kind, namespace), query), accept=TABLE if printed else JSON)


def watch(
    kind: Kind,
    namespace: str = "",
    *,
    resource_version: str,
    label_selector: str = "",
    field_selector: str = "",
    timeout_seconds: int = 300,
) -> Request:
    query = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": resource_version,
        "timeoutSeconds": timeout_seconds,
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
    }
    return Request("watch", "GET", target(path(kind, namespace), query))


def create(
    kind: Kind,
    body: Body,
    *,
    namespace: str = "",
    subresource: str = "",
    name: str = "",
    dry_run: bool = False,
    strict: bool = False,
) -> Request:
    """POST `body`. `namespace`: default from its metadata; `name` and `subresource`: as in `pods/NAME/binding`.

    `strict`: have fields refused that the API server does not know; else it drops them.
    """
    where = path(kind, namespace or _namespace(body), name, subresource)
    query = _dry(dry_run) | ({"fieldValidation": "Strict"} if strict else {})
    return Request("create", "POST", target(where, query), msgspec.json.encode(body))


def replace(kind: Kind, body: Body, *, subresource: str = "", dry_run: bool = False) -> Request:
    """PUT the whole object. Its metadata.resourceVersion, if set, must be the stored one."""
    where = path(kind, _namespace(body), body["metadata"]["name"], subresource)
    return Request("update", "PUT", target(where, _dry(dry_run)), msgspec.json.encode(body))


def patch(
    kind: Kind,
    namespace: str,
    name: str,
    change: Body | list[Body],
    *,
    subresource: str = "",
    content_type: str = "",
    field_manager: str = "",
    force: bool = False,
    dry_run: bool = False,
) -> Request:
    """PATCH. A list is a JSON patch, a dict a merge patch, unless `content_type` is given (strategic, apply)."""
    kind_of_patch = content_type or (JSON_PATCH if isinstance(change, list) else MERGE_PATCH)
    query = {"fieldManager": field_manager, "force": force, **_dry(dry_run)}
    verb = "apply" if kind_of_patch == APPLY_PATCH else "patch"
    where = target(path(kind, namespace, name, subresource), query)
    return Request(verb, "PATCH", where, msgspec.json.encode(change), kind_of_patch)


def delete(
    kind: Kind,
    namespace: str,
    name: str,
    *,
    uid: str = "",
    resource_version: str = "",
    propagation: str = "Background",
    grace_seconds: int | None = None,
    dry_run: bool = False,
) -> Request:
    options = delete_options(uid, resource_version, propagation, grace_seconds)
    where = target(path(kind, namespace, name), _dry(dry_run))
    return Request("delete", "DELETE", where, msgspec.json.encode(options))


def delete_collection(
    kind: Kind,
    namespace: str = "",
    *,
    label_selector: str = "",
    field_selector: str = "",
    propagation: str = "Background",
    grace_seconds: int | None = None,
) -> Request:
    query = {"labelSelector": label_selector, "fieldSelector": field_selector}
    options = delete_options("", "", propagation, grace_seconds)
    return Request("deletecollection", "DELETE", target(path(kind, namespace), query), msgspec.json.encode(options))


def delete_options(uid: str, resource_version: str, propagation: str, grace_seconds: int | None) -> Body:
    """`DeleteOptions` with preconditions, so that another object of the same name is not deleted."""
    options: Body = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if propagation:
        options["propagationPolicy"] = propagation
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    conditions = {"uid": uid, "resourceVersion": resource_version}
    if wanted := {key: value for key, value in conditions.items() if value}:
        options["preconditions"] = wanted
    return options


def _namespace(body: Body) -> str:
    return str(body.get("metadata", {}).get("namespace") or "")


def _dry(dry_run: bool) -> dict[str, object]:
    return {"dryRun": "All"} if dry_run else {}
