"""PATCH requests: apply the patch type of the content type to the stored object, then update it."""

from typing import TYPE_CHECKING, Any

import orjson

from local.apiserver.apply import jsonpatch, strategic
from local.apiserver.call import ApiRequest
from local.apiserver.errors import StatusError, bad_request, invalid, invalid_object, unsupported_media
from local.apiserver.schema import decoding
from local.apiserver.storage.store import StoredObject
from local.apiserver.types.resources import Resource
from local.apiserver.verbs import serverside, writes
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState


def accepted(resource: Resource) -> tuple[str, ...]:
    """The patch types of a resource; strategic merge patch is for built-in kinds only."""
    if resource.custom:
        return (jsonpatch.JSON, jsonpatch.MERGE, jsonpatch.APPLY)
    return (jsonpatch.JSON, jsonpatch.MERGE, jsonpatch.STRATEGIC, jsonpatch.APPLY)


async def apply(core: "ServerState", call: ApiRequest, content_type: str, body: bytes) -> tuple[StoredObject, bool]:
    """Patch a stored object. The result, and whether it was created (by a server-side apply)."""
    kinds = accepted(call.resource)
    if content_type == jsonpatch.APPLY:
        return await serverside.apply(core, call, body)
    if content_type not in kinds:
        raise unsupported_media(kinds)
    try:
        document: Any = orjson.loads(body)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    if content_type != jsonpatch.JSON and not isinstance(document, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")

    def change(entry: StoredObject) -> Body:
        return _decoded(core, call, _patched(core, call, content_type, document, entry), entry)

    return await writes.update(core, call, change), False


def _patched(core: "ServerState", call: ApiRequest, content_type: str, document: Any, entry: StoredObject) -> Body:
    if content_type == jsonpatch.JSON:
        current = entry.copy()
        current["apiVersion"] = call.resource.api_version
        return jsonpatch.apply_json(current, document)
    stored = {**entry.obj, "apiVersion": call.resource.api_version}
    if content_type == jsonpatch.MERGE:
        merged = jsonpatch.apply_merge(stored, document)
    else:
        merged = strategic.apply(stored, document, call.resource.schema or {}, core.definitions.resolve)
    unshared: Body = orjson.loads(orjson.dumps(merged))
    return unshared


def _decoded(core: "ServerState", call: ApiRequest, patched: Body, entry: StoredObject) -> Body:
    """The patched object, normalised. A decoding error is reported for the field `patch`."""
    try:
        obj = decoding.expect_kind(patched, call.resource)
        unknown = decoding.normalise(obj, call.resource, core.definitions, entry.obj)
    except StatusError as error:
        raise _bad_patch(patched, error.message) from None
    try:
        decoding.report_unknown(call, unknown)
    except StatusError as error:
        raise _bad_patch(patched, error.message.partition("cannot be handled as a ")[2].partition(": ")[2]) from None
    _same_object(call, obj)
    return obj


def _bad_patch(patched: Body, why: str) -> StatusError:
    return invalid_object("", "", "", [invalid("patch", orjson.dumps(patched).decode(), why)])


def _same_object(call: ApiRequest, obj: Body) -> None:
    meta = obj["metadata"]
    if meta.get("name") != call.name:
        raise bad_request(
            f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({call.name})"
        )
    if call.resource.namespaced and meta.get("namespace") != call.namespace:
        raise bad_request("the namespace of the object does not match the namespace on the request")
