"""Calls the verb of an authorized request and encodes its result."""

from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from local.apiserver.call import ApiRequest
from local.apiserver.errors import StatusError, bad_request, method_not_allowed
from local.apiserver.http import podlogs
from local.apiserver.http.bodies import delete_options, parse, read
from local.apiserver.http.negotiation import OutputFormat
from local.apiserver.http.responses import encoded, reply
from local.apiserver.verbs import deletion, patching, reads, subresources, watches, writes

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

_MERGEABLE = ("json-patch", "merge-patch")


class VerbDispatcher:
    """`bookmark_period`: seconds between the bookmarks of a watch."""

    def __init__(self, core: "ServerState", bookmark_period: float) -> None:
        self.core = core
        self.period = bookmark_period

    async def dispatch(self, call: ApiRequest, request: web.BaseRequest) -> web.StreamResponse:
        output = OutputFormat.of(request.headers.get("Accept", ""), call)
        if call.verb == "watch":
            self.core.audit.note(call, 200)
            if call.name:
                call.query["fieldSelector"] = f"metadata.name={call.name}"
            return await watches.serve(self.core, call, request, output.encoder(), self.period)
        if call.verb in ("get", "list"):
            return await self._read(call, request, output)
        if call.verb in ("update", "patch") and not call.name:
            raise bad_request("name must be provided")
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
