"""A small API server over plain HTTP for tests of the client: objects, resourceVersions, pages, watches, faults."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import jsonpatch
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.kube.client.api import Api
from shared.kube.client.connect import plain
from shared.kube.client.transport import Transport
from shared.model.types import Body

Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


def status(code: int, reason: str, message: str = "", **details: Any) -> web.Response:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message or reason, "details": details}
    return web.Response(status=code, body=orjson.dumps(body), content_type="application/json")


class FakeServer:
    """`objects[collection path][(namespace, name)]`; `before` runs first and may answer; `calls` counts requests."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[tuple[str, str], Body]] = {}
        self.history: list[tuple[int, str, str, Body]] = []
        self.version = 100
        self.uids = itertools.count(1)
        self.calls: Counter[str] = Counter()
        self.log: list[tuple[str, str]] = []
        self.before: Fault | None = None
        self.after: Fault | None = None
        self.changed = asyncio.Event()
        self.oldest = 0
        self.watching: set[web.StreamResponse] = set()

    # --- called by tests ------------------------------------------------------------------------------------------
    def put(self, collection: str, body: Body, kind: str = "") -> Body:
        metadata = body.setdefault("metadata", {})
        key = (metadata.get("namespace", ""), metadata["name"])
        known = self.objects.setdefault(collection, {}).get(key)
        self.version += 1
        metadata["uid"] = known["metadata"]["uid"] if known else metadata.get("uid") or f"uid-{next(self.uids)}"
        metadata["resourceVersion"] = str(self.version)
        self.objects[collection][key] = body
        self._tell(kind or ("MODIFIED" if known else "ADDED"), collection, body)
        return body

    def remove(self, collection: str, namespace: str, name: str) -> Body:
        body = orjson.loads(orjson.dumps(self.objects[collection].pop((namespace, name))))
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        self._tell("DELETED", collection, body)
        return body

    def _tell(self, kind: str, collection: str, body: Body) -> None:
        self.history.append((self.version, kind, collection, orjson.loads(orjson.dumps(body))))
        self.changed.set()
        self.changed = asyncio.Event()

    def forget_history(self) -> None:
        """Watches from earlier versions get 410."""
        self.oldest = self.version + 1
        self.history.clear()

    # --- HTTP ----------------------------------------------------------------------------------------------------
    async def handle(self, request: web.Request) -> web.StreamResponse:
        collection, namespace, name, subresource = split(request.path)
        verb = (
            "WATCH" if "watch" in request.query else "LIST" if request.method == "GET" and not name else request.method
        )
        self.calls[f"{verb} {collection.rpartition('/')[2]}{'/' + subresource if subresource else ''}"] += 1
        self.log.append((verb, request.path))
        if self.before is not None and (answer := await self.before(request)) is not None:
            return answer
        answer = await self.answer(request, verb, collection, namespace, name, subresource)
        if self.after is not None and (instead := await self.after(request)) is not None:
            return instead
        return answer

    async def answer(
        self, request: web.Request, verb: str, collection: str, namespace: str, name: str, subresource: str
    ) -> web.StreamResponse:
        objects = self.objects.setdefault(collection, {})
        if verb == "WATCH":
            return await self.watch(request, collection, namespace)
        if verb == "LIST":
            return self.list(request, objects, namespace)
        if verb == "POST":
            body = orjson.loads(await request.read())
            key = (namespace, body["metadata"]["name"])
            if key in objects:
                return status(409, "AlreadyExists", f"{key[1]} already exists")
            if namespace:
                body["metadata"]["namespace"] = namespace
            return json(self.put(collection, body), 201)
        current = objects.get((namespace, name))
        if current is None:
            return status(404, "NotFound", f"{name} not found")
        if verb == "GET":
            return json(current)
        data = orjson.loads(await request.read() or b"{}")
        if verb == "DELETE":
            uid = data.get("preconditions", {}).get("uid")
            if uid and uid != current["metadata"]["uid"]:
                return status(409, "Conflict", "precondition failed: UID")
            if current["metadata"].get("finalizers"):
                marked = orjson.loads(orjson.dumps(current))
                marked["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
                return json(self.put(collection, marked))
            self.remove(collection, namespace, name)
            return json({"kind": "Status", "status": "Success", "details": {"uid": current["metadata"]["uid"]}})
        return self.write(request, collection, current, data, verb, subresource)

    def write(
        self, request: web.Request, collection: str, current: Body, data: Any, verb: str, subresource: str
    ) -> web.StreamResponse:
        new = orjson.loads(orjson.dumps(current))
        if verb == "PUT":
            version = data["metadata"].get("resourceVersion")
            if version and version != current["metadata"]["resourceVersion"]:
                return status(409, "Conflict", "the object has been modified")
            if subresource == "status":
                new["status"] = data.get("status")
            else:
                new = {**data, "metadata": {**data["metadata"]}}
        else:
            uid = data.get("metadata", {}).get("uid") if isinstance(data, dict) else None
            if uid and uid != current["metadata"]["uid"]:
                return status(409, "Conflict", "precondition failed: UID")
            if isinstance(data, list):
                new = jsonpatch.apply_patch(new, data)
            else:
                merge(new, data)
        return json(self.put(collection, new))

    def list(self, request: web.Request, objects: dict[tuple[str, str], Body], namespace: str) -> web.Response:
        items = [body for key, body in sorted(objects.items()) if namespace in ("", key[0])]
        start = int(request.query.get("continue") or 0)
        limit = int(request.query.get("limit") or 0) or len(items) or 1
        rest = start + limit < len(items)
        meta = {"resourceVersion": str(self.version), **({"continue": str(start + limit)} if rest else {})}
        return json({"metadata": meta, "items": items[start : start + limit]})

    async def watch(self, request: web.Request, collection: str, namespace: str) -> web.StreamResponse:
        after = int(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        if after + 1 < self.oldest:
            await response.write(event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"}))
            return response
        self.watching.add(response)
        try:
            while response in self.watching:
                waiting = self.changed
                for version, kind, where, body in list(self.history):
                    if version > after and where == collection and namespace in ("", body["metadata"].get("namespace")):
                        await response.write(event(kind, body))
                after = max(after, self.version)
                await waiting.wait()
        finally:
            self.watching.discard(response)
        return response

    def drop_watches(self) -> None:
        for response in list(self.watching):
            self.watching.discard(response)
            if response._req is not None and response._req.transport is not None:
                response._req.transport.abort()
        self.changed.set()
        self.changed = asyncio.Event()


def split(path: str) -> tuple[str, str, str, str]:
    parts = path.strip("/").split("/")
    root, rest = (parts[:2], parts[2:]) if parts[0] == "api" else (parts[:3], parts[3:])
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    rest += ["", "", ""]
    return "/" + "/".join([*root, rest[0]]), namespace, rest[1], rest[2]


def event(kind: str, body: Body) -> bytes:
    return orjson.dumps({"type": kind, "object": body}) + b"\n"


def json(body: Body, code: int = 200) -> web.Response:
    return web.Response(status=code, body=orjson.dumps(body), content_type="application/json")


def merge(into: Body, change: Body) -> None:
    for key, value in change.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


async def reset(request: web.Request) -> web.StreamResponse:
    """Cuts the connection, so that the answer is lost."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def serving(fake: FakeServer) -> AsyncIterator[tuple[TestServer, Api]]:
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", fake.handle)
    server = TestServer(app, shutdown_timeout=0.1)
    await server.start_server()
    api = Api(Transport(plain(str(server.make_url("")))))
    try:
        yield server, api
    finally:
        await api.close()
        fake.watching.clear()
        fake.changed.set()
        await server.close()


async def until(condition: Callable[[], bool]) -> None:
    """Waits until `condition` is true, at most five seconds."""
    for _ in range(2500):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never became so")
