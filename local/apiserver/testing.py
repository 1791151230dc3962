"""`/testing/...`: settings and records for tests, from outside the process. Not part of Kubernetes' API.

| Path | Method | Body or answer |
|---|---|---|
| /testing/audit | GET, DELETE | every request; with ?user= one user's |
| /testing/annotations | GET | (resource, name, audit annotations) of the requests that webhooks annotated |
| /testing/permissions | GET | the distinct (user, verb, group, resource, subresource, namespace, name) |
| /testing/writes | GET | successful writes by user, verb, resource, subresource |
| /testing/faults | GET, PUT, DELETE | a list of faults (see InjectedFault); PUT also returns the replaced ones |
| /testing/seed | PUT | {"seed": 1} |
| /testing/services | GET, PUT | {"namespace/name": "host:port"}: where webhook services are reached |
| /testing/rbac | PUT | {"enforce": true} |
| /testing/tokens | POST | {"user": ..., "groups": [...]} or {"serviceAccount": "ns/name"}: a token and a kubeconfig |
| /testing/compact | POST | drop watch history and pages: older revisions get 410 |
| /testing/drop-watches | POST | end every open watch |
| /testing/snapshot | POST | {"path": ...}: write the state to a file |
| /testing/logs/NS/POD/CONTAINER | PUT | what `kubectl logs` shows |
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from local.apiserver import persistence
from local.apiserver.auth import AUTHENTICATED
from local.apiserver.call import User
from local.apiserver.errors import bad_request

if TYPE_CHECKING:
    from local.apiserver.core import ServerState


async def answer(core: "ServerState", request: web.BaseRequest) -> web.Response:
    """Serve one of the paths above."""
    parts = request.path.removeprefix("/testing/").split("/")
    body = await request.read()
    if parts[0] == "logs" and len(parts) == 4 and request.method == "PUT":
        core.logs[parts[1], parts[2], parts[3]] = body
        return _json({})
    handler = _HANDLERS.get((request.method, parts[0]))
    if handler is None:
        raise bad_request(f"no testing path {request.method} {request.path}")
    return _json(handler(core, orjson.loads(body) if body else {}, dict(request.query)))


def _json(found: Any) -> web.Response:
    return web.Response(body=orjson.dumps(found), headers={"Content-Type": "application/json"})


def _audit(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    wanted = query.get("user")
    return [asked._asdict() for asked in core.audit.requests if wanted in (None, asked.user)]


def _clear_audit(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    core.audit.clear()
    return {}


def _faults(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    replaced = core.faults.dump()
    core.faults.load(body)
    return {"replaced": replaced, "active": core.faults.dump()}


def _clear_faults(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    core.faults.clear()
    return []


def _seed(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    core.faults.seed(int(body["seed"]))
    return body


def _services(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    core.admission.client.services.update(body)
    return core.admission.client.services


def _rbac(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    core.options.rbac = bool(body["enforce"])
    return body


def _token(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    if "serviceAccount" in body:
        namespace, _, name = body["serviceAccount"].partition("/")
        token = core.auth.service_account(namespace, name)
    else:
        token = core.auth.token_for(User(body["user"], (*body.get("groups", ()), AUTHENTICATED)))
    return {"token": token, "kubeconfig": core.kubeconfig(token)}


def _compact(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    core.compact()
    return {"resourceVersion": core.store.rv}


def _drop_watches(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    dropped = len(core.watches)
    core.close_watches()
    return {"dropped": dropped}


def _snapshot(core: "ServerState", body: Any, query: dict[str, str]) -> Any:
    persistence.save(core, body["path"])
    return body


_HANDLERS: dict[tuple[str, str], Callable[["ServerState", Any, dict[str, str]], Any]] = {
    ("GET", "audit"): _audit,
    ("DELETE", "audit"): _clear_audit,
    ("GET", "annotations"): lambda core, body, query: core.audit.annotations,
    ("GET", "permissions"): lambda core, body, query: core.audit.permissions(query.get("user", "")),
    ("GET", "writes"): lambda core, body, query: core.audit.counts(),
    ("GET", "faults"): lambda core, body, query: core.faults.dump(),
    ("PUT", "faults"): _faults,
    ("DELETE", "faults"): _clear_faults,
    ("PUT", "seed"): _seed,
    ("GET", "services"): lambda core, body, query: core.admission.client.services,
    ("PUT", "services"): _services,
    ("PUT", "rbac"): _rbac,
    ("POST", "tokens"): _token,
    ("POST", "compact"): _compact,
    ("POST", "drop-watches"): _drop_watches,
    ("POST", "snapshot"): _snapshot,
}
