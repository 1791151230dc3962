"""The HTTP handler: authenticate, authorize, dispatch by verb, and encode the response."""

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING, Any

import orjson
import yaml
from aiohttp import web

from local.apiserver import testing
from local.apiserver.auth import AUTHENTICATED, AuthorizationAttributes
from local.apiserver.errors import StatusError, bad_request, internal, method_not_allowed, unauthorized
from local.apiserver.http import nonresource, paths, podlogs, protobuf
from local.apiserver.http.call import ANONYMOUS, ApiRequest, User
from local.apiserver.http.negotiation import OutputFormat
from local.apiserver.storage.store import StoredObject
from local.apiserver.verbs import deletion, patching, reads, subresources, watches, writes
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

log = logging.getLogger("apiserver.http")
MAX_BODY = 3 * 1024 * 1024
JSON_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
_MERGEABLE = ("json-patch", "merge-patch")


class RequestHandler:
    """Answers every request of one server."""

    def __init__(self, core: "ServerState", bookmark_period: float) -> None:
        self.core = core
        self.period = bookmark_period
        self.plain = nonresource.NonResourceHandler(core)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except StatusError as error:
            return refused(error)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # a defect of this server, reported as kube-apiserver reports a panic
            log.exception("%s %s", request.method, request.path_qs)
            return refused(internal(f"{type(error).__name__}: {error}"))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path.startswith("/testing/"):
            return await testing.answer(self.core, request)
        user = self._user(request)
        where = paths.parse(path)
        if where is None:
            return self._plain(request, user)
        resource = self.core.registry.at(where.group, where.version, where.plural)
        if user is None:
            raise unauthorized()
        query = dict(request.query)
        verb = paths.verb(request.method, where, query)
        if resource is None:
            asks = AuthorizationAttributes(
                verb, where.group, where.plural, where.subresource, where.namespace, where.name
            )
            self.core.auth.authorize(user, asks)
            return missing()
        namespace = where.namespace
        if resource.gr == ("", "namespaces"):
            namespace = ""
        call = ApiRequest(user, verb, resource, namespace, where.name, where.subresource, query)
        call.agent = request.headers.get("User-Agent", "")
        if resource.deprecation:
            call.warn(resource.deprecation)
        return await self._audited(
            call, request, where.namespace or (where.name if resource.gr == ("", "namespaces") else "")
        )

    def _user(self, request: web.BaseRequest) -> User | None:
        user = self.core.auth.identify(request.headers.get("Authorization", ""))
        name = request.headers.get("Impersonate-User")
        if user is None or not name:
            return user
        self.core.auth.authorize(user, AuthorizationAttributes("impersonate", "", "users", name=name))
        groups = request.headers.getall("Impersonate-Group", [])
        return User(name, (*groups, AUTHENTICATED) if AUTHENTICATED not in groups else tuple(groups))

    def _plain(self, request: web.BaseRequest, user: User | None) -> web.Response:
        verb = request.method.lower()
        asks = AuthorizationAttributes(verb, path=request.path)
        if user is None and not self.core.auth.allowed(ANONYMOUS, asks):
            raise unauthorized()
        self.core.auth.authorize(user or ANONYMOUS, asks)
        return self.plain.answer(request)

    async def _audited(self, call: ApiRequest, request: web.BaseRequest, namespace: str) -> web.StreamResponse:
        code = 500
        try:
            answer = await self._serve(call, request, namespace)
            code = answer.status
            return answer
        except StatusError as error:
            code = error.code
            return refused(error, call)
        finally:
            if call.verb != "watch" or code != 200:
                self.core.audit.note(call, code)

    async def _serve(self, call: ApiRequest, request: web.BaseRequest, namespace: str) -> web.StreamResponse:
        resource = call.resource
        asks = AuthorizationAttributes(
            call.verb, resource.group, resource.plural, call.subresource, namespace, call.name
        )
        self.core.auth.authorize(call.user, asks)
        if call.subresource and call.subresource not in resource.subresources:
            return missing()
        faults = self.core.faults
        if (slow := faults.choose(call, ("latency",))) is not None:
            await asyncio.sleep(slow.seconds)
        if (error := faults.error(call)) is not None:
            raise error
        if faults.choose(call, ("reset",)) is not None:
            return cut(request)
        answer = await self._dispatch(call, request)
        if answer.status < 300 and faults.choose(call, ("reset-after-commit",)) is not None:
            return cut(request)
        return answer

    async def _dispatch(self, call: ApiRequest, request: web.BaseRequest) -> web.StreamResponse:
        output = OutputFormat.of(request.headers.get("Accept", ""), call)
        if call.verb == "watch":
            self.core.audit.note(call, 200)
            if call.name:
                call.query["fieldSelector"] = f"metadata.name={call.name}"
            return await watches.serve(self.core, call, request, output.encoder(), self.period)
        if call.verb in ("get", "list"):
            return await self._read(call, request, output)
        homeless = call.resource.namespaced and not call.namespace and call.verb != "deletecollection"
        if homeless and call.resource.plural not in subresources.REVIEW_PLURALS:
            raise method_not_allowed()
        if call.verb not in call.resource.verbs and not call.subresource:
            raise method_not_allowed()
        return await self._write(call, request, output)

    async def _read(self, call: ApiRequest, request: web.BaseRequest, output: OutputFormat) -> web.StreamResponse:
        if call.verb not in call.resource.verbs:
            raise method_not_allowed()
        if call.verb == "list":
            return reply(200, output.page(reads.page(self.core, call)), call)
        if call.subresource == "log":
            return await podlogs.serve(self.core, call, request)
        entry = reads.get(self.core, call)
        if call.subresource == "scale":
            return reply(200, orjson.dumps(subresources.scale_of(call, entry)), call)
        if call.subresource not in ("", "status", "ephemeralcontainers"):
            raise method_not_allowed()
        return reply(200, output.one(entry), call)

    async def _write(self, call: ApiRequest, request: web.BaseRequest, output: OutputFormat) -> web.StreamResponse:
        content_type = request.content_type
        if call.verb == "patch":
            body = await read(request)
            if call.subresource == "scale" and any(kind in content_type for kind in _MERGEABLE):
                scaled = await subresources.set_scale(self.core, call, content_type, parse(body, content_type))
                return reply(200, orjson.dumps(scaled), call)
            entry, made = await patching.apply(self.core, call, content_type, body)
            return reply(201 if made else 200, output.one(entry), call)
        if call.verb in ("delete", "deletecollection"):
            return await self._delete(call, request, output)
        raw = parse(await read(request), content_type)
        if call.verb == "create":
            return await self._create(call, raw, output)
        if call.subresource == "scale":
            scaled = await subresources.set_scale(self.core, call, content_type, raw)
            return reply(200, orjson.dumps(scaled), call)
        if call.subresource == "finalize":
            code, found = await subresources.finalize(self.core, call, raw)
            return reply(code, encoded(found, output), call)
        if call.subresource not in ("", "status"):
            raise method_not_allowed()
        return reply(200, output.one(await writes.replace(self.core, call, raw)), call)

    async def _create(self, call: ApiRequest, raw: Any, output: OutputFormat) -> web.Response:
        if call.resource.plural in subresources.REVIEW_PLURALS:
            code, found = await subresources.review(self.core, call, raw)
            return reply(code, encoded(found, output), call)
        if call.subresource:
            code, found = await subresources.post(self.core, call, raw)
            return reply(code, encoded(found, output), call)
        if call.name:
            raise method_not_allowed()
        return reply(201, output.one(await writes.create(self.core, call, raw)), call)

    async def _delete(self, call: ApiRequest, request: web.BaseRequest, output: OutputFormat) -> web.Response:
        body = await read(request)
        call.options = delete_options(call.query, parse(body, request.content_type) if body else {})
        if call.verb == "delete":
            if call.subresource:
                raise method_not_allowed()
            entry, gone = await deletion.delete(self.core, call)
            code, found = deletion.answer(call, entry, gone)
            return reply(code, encoded(found, output), call)
        found_page = reads.page(self.core, call)
        for entry in found_page.entries:
            one = ApiRequest(
                call.user, "delete", call.resource, *entry.key, query=call.query, options=dict(call.options)
            )
            try:
                await deletion.delete(self.core, one)
            except StatusError as error:
                if error.code != 404:
                    raise
        return reply(200, output.page(found_page), call)


def delete_options(query: dict[str, str], body: Any) -> Body:
    """DeleteOptions from the body, and from the query for clients that put them there."""
    if not isinstance(body, dict):
        raise bad_request("the delete options are not an object")
    options: Body = dict(body)
    if "gracePeriodSeconds" in query:
        options.setdefault("gracePeriodSeconds", int(query["gracePeriodSeconds"]))
    if "propagationPolicy" in query:
        options.setdefault("propagationPolicy", query["propagationPolicy"])
    if "orphanDependents" in query:
        options.setdefault("orphanDependents", query["orphanDependents"] == "true")
    return {key: value for key, value in options.items() if value is not None}


async def read(request: web.BaseRequest) -> bytes:
    """The body, at most 3 MiB of it."""
    if (request.content_length or 0) > MAX_BODY:
        raise _too_large()
    body = await request.read()
    if len(body) > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")


def parse(body: bytes, content_type: str) -> Any:
    """JSON or YAML by the content type. 415 for protobuf and the rest."""
    if content_type in ("application/yaml", "application/x-yaml"):
        try:
            return yaml.safe_load(body)
        except yaml.YAMLError as error:
            raise bad_request(f"error converting YAML to JSON: {error}") from None
    if content_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(body)
    if "json" not in content_type and content_type not in ("application/octet-stream", "text/plain", "*/*"):
        raise StatusError(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
        )
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise bad_request(
            f"the object provided is unrecognized (must be of type Object): couldn't get version/kind; json parse error: {error}"
        ) from None


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
    """Break the connection: the client never learns what became of its request."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
