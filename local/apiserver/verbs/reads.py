"""GET and LIST: selectors, consistent pages, lists as of an older revision."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from local.apiserver.call import ApiRequest
from local.apiserver.errors import bad_request, gone, invalid, invalid_object, not_found
from local.apiserver.storage import selectors
from local.apiserver.storage.store import StoredObject

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter."
)


@dataclass
class ListPage:
    """One page of a list: its entries, its revision, and the continue token of the rest."""

    entries: list[StoredObject]
    rv: int
    token: str = ""
    remaining: int | None = None


def get(core: "ServerState", call: ApiRequest) -> StoredObject:
    entry = core.store.get(call.gr, call.namespace, call.name)
    if entry is None:
        raise not_found(*call.gr, call.name)
    return entry


def matcher(call: ApiRequest) -> tuple[selectors.Match | None, dict[str, str]]:
    """The predicate of the request's selectors (None: everything), and the fields that must be equal."""
    label = selectors.label_selector(call.query.get("labelSelector", ""))
    text = call.query.get("fieldSelector", "")
    equal: dict[str, str] = {}
    field = None
    if text:
        extra = tuple(f["jsonPath"].lstrip(".") for f in (call.resource.scale or {}).get("selectableFields", ()))
        field, equal = selectors.field_selector(text, call.resource.group, call.resource.plural, extra)
    if label is None or field is None:
        return label or field, equal
    return (lambda obj: label(obj) and field(obj)), equal


def page(core: "ServerState", call: ApiRequest) -> ListPage:
    """The requested objects, in pages of `limit`."""
    limit = _number(call, "limit")
    token = call.query.get("continue", "")
    if token:
        return _next_page(core, call, token, limit)
    entries, rv = _snapshot(core, call)
    match, equal = matcher(call)
    if match is not None:
        entries = list(_matching(entries, match, equal))
    return _cut(core, call, entries, rv, 0, limit)


def _matching(entries: list[StoredObject], match: selectors.Match, equal: dict[str, str]) -> Iterator[StoredObject]:
    name = equal.get("metadata.name")
    return (entry for entry in entries if (name is None or entry.key[1] == name) and match(entry.obj))


def _snapshot(core: "ServerState", call: ApiRequest) -> tuple[list[StoredObject], int]:
    bucket, how = core.store.bucket(call.gr), call.query.get("resourceVersionMatch", "")
    text = call.query.get("resourceVersion", "")
    if how and not text:
        fault = invalid("resourceVersionMatch", how, "")
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid_object(
            "meta.k8s.io", "ListOptions", "", [fault._replace(text=f"Forbidden: {text}", reason="FieldValueForbidden")]
        )
    wanted = _version(text)
    if wanted > core.store.rv:
        raise bad_too_new(wanted, core.store.rv)
    if how == "Exact":
        try:
            return bucket.entries_at(call.namespace, wanted), wanted
        except KeyError:
            raise gone(f"The resourceVersion for the provided list is too old: {wanted}") from None
    stale = (
        core.faults.stale_list(call, core.store.rv)
        if not (how == "NotOlderThan" or (not text and call.internal))
        else None
    )
    if stale is not None and stale >= wanted:
        try:
            return bucket.entries_at(call.namespace, stale), stale
        except KeyError:
            pass
    return bucket.entries(call.namespace), core.store.rv


def bad_too_new(wanted: int, current: int) -> Exception:
    from local.apiserver.errors import StatusError

    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return StatusError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1}, {"Retry-After": "1"})


def _version(text: str) -> int:
    if text in ("", "0"):
        return 0
    if not text.isdigit():
        raise bad_request(f'invalid resource version "{text}": strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def _number(call: ApiRequest, key: str) -> int:
    text = call.query.get(key, "")
    if text and not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text or 0)


def _cut(
    core: "ServerState", call: ApiRequest, entries: list[StoredObject], rv: int, start: int, limit: int
) -> ListPage:
    if not limit or start + limit >= len(entries):
        return ListPage(entries[start:] if start else entries, rv)
    cut = start + limit
    snapshot = core.pages.keep(entries, rv)
    token = base64.urlsafe_b64encode(orjson.dumps({"v": "meta.k8s.io/v1", "rv": rv, "start": cut, "of": snapshot}))
    remaining = None if call.query.get("labelSelector") or call.query.get("fieldSelector") else len(entries) - cut
    return ListPage(entries[start:cut], rv, token.decode(), remaining)


def _next_page(core: "ServerState", call: ApiRequest, token: str, limit: int) -> ListPage:
    try:
        mark = orjson.loads(base64.urlsafe_b64decode(token))
        start, rv, snapshot = int(mark["start"]), int(mark["rv"]), mark["of"]
    except (ValueError, KeyError, TypeError):
        raise bad_request("continue key is not valid: illegal base64 data") from None
    entries = core.pages.find(snapshot)
    if entries is None or core.faults.expire_continue(call):
        raise gone(EXPIRED)
    return _cut(core, call, entries, rv, start, limit)
