"""HTTP responses of the API server."""

import uuid

import orjson
from aiohttp import web

from local.apiserver.call import ApiRequest
from local.apiserver.errors import StatusError
from local.apiserver.http.negotiation import OutputFormat
from local.apiserver.storage.store import StoredObject
from shared.model.types import Body

JSON_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}


def reply(code: int, body: bytes, call: ApiRequest) -> web.Response:
    response = web.Response(status=code, body=body, headers=JSON_HEADERS)
    _warn(response, call)
    return response


def encoded(found: Body | StoredObject, output: OutputFormat) -> bytes:
    return output.one(found) if isinstance(found, StoredObject) else orjson.dumps(found)


def refused(error: StatusError, call: ApiRequest | None = None) -> web.Response:
    response = web.Response(
        status=error.code, body=orjson.dumps(error.status), headers={**JSON_HEADERS, **error.headers}
    )
    response.headers["Audit-Id"] = str(uuid.uuid4())
    if call is not None:
        _warn(response, call)
    return response


def _warn(response: web.Response, call: ApiRequest) -> None:
    for text in call.warnings:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        response.headers.add("Warning", f'299 - "{escaped}"')


def missing() -> web.Response:
    """What an unknown path is answered: plain text, not a Status."""
    return web.Response(status=404, text="404 page not found\n", headers={"X-Content-Type-Options": "nosniff"})


def cut(request: web.BaseRequest) -> web.Response:
    """Break the connection: the client never learns the result of its request."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
