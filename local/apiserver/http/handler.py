"""The HTTP handler: authenticate, authorize, inject faults, and dispatch."""

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

from local.apiserver import testing
from local.apiserver.auth import AUTHENTICATED, AuthorizationAttributes
from local.apiserver.call import ANONYMOUS, ApiRequest, User
from local.apiserver.errors import StatusError, internal, no_such_resource, unauthorized
from local.apiserver.http import nonresource, paths
from local.apiserver.http.dispatcher import VerbDispatcher
from local.apiserver.http.responses import cut, missing, refused

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

log = logging.getLogger("apiserver.http")


class RequestHandler:
    """Answers every request of one server."""

    def __init__(self, core: "ServerState", bookmark_period: float) -> None:
        self.core = core
        self.dispatcher = VerbDispatcher(core, bookmark_period)
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
            raise no_such_resource()
        if resource.namespaced and not call.namespace and (call.name or call.verb == "create"):
            return missing()
        faults = self.core.faults
        if (slow := faults.choose(call, ("latency",))) is not None:
            await asyncio.sleep(slow.seconds)
        if (error := faults.error(call)) is not None:
            raise error
        if faults.choose(call, ("reset",)) is not None:
            return cut(request)
        answer = await self.dispatcher.dispatch(call, request)
        if answer.status < 300 and faults.choose(call, ("reset-after-commit",)) is not None:
            return cut(request)
        await faults.answer_late(call)
        return answer
