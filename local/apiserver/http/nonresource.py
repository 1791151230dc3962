"""Non-resource paths: health, version, discovery, OpenAPI."""

from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from local.apiserver.http import discovery
from local.apiserver.http.openapi import OpenApi
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

_AGGREGATED = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_HEALTH = ("/healthz", "/readyz", "/livez")
_CHECKS = tuple(f"{path}/{check}" for path in _HEALTH for check in ("ping", "etcd", "log", "poststarthook/"))
_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


class NonResourceHandler:
    """Answers these paths."""

    def __init__(self, core: "ServerState") -> None:
        self.core = core
        self.openapi = OpenApi(core.registry, core.definitions)

    def answer(self, request: web.BaseRequest) -> web.Response:
        path = request.path.rstrip("/") or "/"
        if path in _HEALTH or path.startswith(_CHECKS):
            return web.Response(text="ok")
        if path == "/openapi/v3":
            return _json(self.openapi.index())
        if path.startswith("/openapi/v3/"):
            return _json(self.openapi.document(path.removeprefix("/openapi/v3/")))
        if path == "/openapi/v2":
            return self._openapi_v2(request.headers.get("Accept", "*/*"))
        if path == "/":
            return _json(orjson.dumps({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/openapi/v3", "/version"]}))
        return self._discovery(request, path)

    def _openapi_v2(self, accept: str) -> web.Response:
        """kubectl asks for protobuf when a kind is not in /openapi/v3, to find that it is not in v2 either."""
        if _PROTOBUF in accept.replace("spec.v2@v1.0", "spec.v2.v1.0"):  # older clients write an @
            return web.Response(body=self.openapi.v2_protobuf(), headers={"Content-Type": _PROTOBUF})
        if "json" in accept or "*/*" in accept:
            return _json(self.openapi.v2())
        return web.Response(status=406)

    def _discovery(self, request: web.BaseRequest, path: str) -> web.Response:
        registry, parts = self.core.registry, path.strip("/").split("/")
        wants_aggregated = _AGGREGATED in request.headers.get("Accept", "").replace(" ", "")
        if path in ("/api", "/apis") and wants_aggregated:
            body = orjson.dumps(discovery.aggregated(registry, core=path == "/api"))
            return web.Response(body=body, headers={"Content-Type": discovery.AGGREGATED})
        found: Body | None = None
        if path == "/version":
            found = discovery.VERSION
        elif path == "/api":
            found = discovery.api_versions(request.host)
        elif path == "/apis":
            found = discovery.groups(registry)
        elif path == "/api/v1":
            found = discovery.resource_list(registry, "", "v1")
        elif parts[0] == "apis" and len(parts) == 2:
            found = discovery.group(registry, parts[1])
        elif parts[0] == "apis" and len(parts) == 3:
            found = discovery.resource_list(registry, parts[1], parts[2])
        return _json(orjson.dumps(found) if found is not None else None)


def _json(body: bytes | None) -> web.Response:
    if body is None:
        return web.Response(status=404, text="404 page not found\n")
    return web.Response(body=body, headers={"Content-Type": "application/json"})
