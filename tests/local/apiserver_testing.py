"""For the API server's own tests: a server, a small HTTP client, a CRD, and a webhook whose answers the test sets."""

import base64
import copy
import io
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from local.apiserver import ApiServer
from local.pki import CertificateAuthority
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.transport import Transport
from shared.model.types import Body

GROUP = "test.example.com"
THINGS = f"/apis/{GROUP}/v1/namespaces/default/things"
PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"


class HttpClient:
    """JSON in, (status, JSON) out."""

    def __init__(self, server: ApiServer, token: str = "") -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {token or server.token}"}
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=server.ssl_context()))

    async def close(self) -> None:
        await self.session.close()

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, decoded body and headers of the answer."""
        given = {
            **self.headers,
            "Content-Type": "application/json",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        data = body if isinstance(body, bytes) else orjson.dumps(body) if body is not None else None
        sent = io.BytesIO(data) if data is not None else None
        async with self.session.request(method, self.server.url + path, data=sent, headers=given) as answer:
            raw = await answer.read()
            decoded = orjson.loads(raw) if raw[:1] in b"{[" and raw else raw.decode()
            return answer.status, decoded, answer.headers

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The decoded body of an answer that must be a success."""
        status, found, _ = await self.send(method, path, body, **headers)
        assert status < 300, found
        return found

    async def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
        """Code, reason and message of an answer that must be a refusal."""
        status, found, _ = await self.send(method, path, body, **headers)
        assert status >= 400, found
        return found["code"], found.get("reason", ""), found["message"]

    async def patch(self, path: str, body: Any, kind: str = "merge") -> Any:
        name = {"merge": "merge-patch", "json": "json-patch", "strategic": "strategic-merge-patch"}[kind]
        return await self("PATCH", path, body, Content_Type=f"application/{name}+json")

    @asynccontextmanager
    async def watch(self, path: str) -> AsyncIterator[Callable[[], Awaitable[Body]]]:
        """Calls of the yielded function return the next event; one of type EOF when the watch has ended."""
        async with self.session.get(self.server.url + path, headers=self.headers) as answer:

            async def following() -> Body:
                line = await answer.content.readline()
                found: Body = orjson.loads(line) if line else {"type": "EOF"}
                return found

            yield following


def thing(name: str = "a", **spec: Any) -> Body:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"size": 1, **spec}}


def config_map(name: str = "a", **data: str) -> Body:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name: str = "p", **spec: Any) -> Body:
    containers = [{"name": "main", "image": "busybox:1"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def owned(obj: Body, owner: Body, block: bool = True) -> Body:
    """The object with `owner` as its controller."""
    meta = owner["metadata"]
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    obj["metadata"]["ownerReferences"] = [{**reference, "controller": True, "blockOwnerDeletion": block}]
    return obj


_SPEC_SCHEMA: Body = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 0, "maximum": 9},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
        "title": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "port": {"x-kubernetes-int-or-string": True},
        "steps": {
            "type": "array",
            "maxItems": 3,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "default": 5}},
            },
        },
    },
}


def crd(status: bool = True, **version: Any) -> Body:
    """The CRD of `Thing`, with a status subresource unless `status` is False."""
    state = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": copy.deepcopy(_SPEC_SCHEMA), "status": state}}
    served: Body = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": [
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
            {"name": "Mode", "type": "string", "jsonPath": ".spec.mode", "priority": 1},
        ],
        **({"subresources": {"status": {}}} if status else {}),
        **version,
    }
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "shortNames": ["th"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [served]},
    }


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class FakeWebhook:
    """An admission webhook over TLS. `answer` makes the `response` (without uid) from the request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = CertificateAuthority()
        self.asked: list[Body] = []
        self.answer: Callable[[Body], Body] = lambda request: {"allowed": True}
        self.status = 200
        self.port = 0

    @property
    def bundle(self) -> str:
        return base64.b64encode(self.authority.pem).decode()

    async def _serve(self, request: web.Request) -> web.Response:
        review = orjson.loads(await request.read())
        self.asked.append({**review["request"], "path": request.path_qs})
        answer = {"uid": review["request"]["uid"], **self.answer(review["request"])}
        body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
        return web.Response(status=self.status, body=orjson.dumps(body), content_type="application/json")

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeWebhook"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.authority.serving().write(self.folder, "webhook"))
        app = web.Application()
        app.router.add_post("/{path:.*}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        self.port = int(runner.addresses[0][1])
        try:
            yield self
        finally:
            await runner.cleanup()

    def configuration(self, kind: str, name: str = "hooks", **fields: Any) -> Body:
        """A Mutating- or ValidatingWebhookConfiguration with one webhook, for all operations on things."""
        rule = {"apiGroups": [GROUP], "apiVersions": ["v1"], "operations": ["*"], "resources": ["things"]}
        hook = {
            "name": f"{name}.example.com",
            "clientConfig": {"url": f"https://127.0.0.1:{self.port}/{name}", "caBundle": self.bundle},
            "rules": [rule],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 5,
            **fields,
        }
        found = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": f"{kind}WebhookConfiguration"}
        return {**found, "metadata": {"name": name}, "webhooks": [hook]}


HOOKS = "/apis/admissionregistration.k8s.io/v1/{}webhookconfigurations"


def json_patch(*operations: Body) -> Body:
    """A webhook's answer that patches the object."""
    return {
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(orjson.dumps(list(operations))).decode(),
    }


async def client_of(kubeconfig: Path) -> Api:
    """The API client of the product, for the cluster of a kubeconfig. Use it as an async context manager."""
    return Api(Transport(await connect.load(str(kubeconfig))))
