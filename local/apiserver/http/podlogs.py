"""pods/log: fetched from the kubelet of the pod's node, as the real server does."""

import re
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from local.apiserver.call import ApiRequest
from local.apiserver.errors import bad_request, internal, invalid, invalid_object
from local.apiserver.storage.store import StoredObject
from local.apiserver.verbs import reads

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

_NUMBERS = (
    ("tailLines", 0, "must be greater than or equal to 0"),
    ("limitBytes", 1, "must be greater than 0"),
    ("sinceSeconds", 1, "must be greater than 0"),
)
_PASSED = ("follow", "tailLines", "previous", "timestamps", "sinceSeconds", "limitBytes")


def _container(call: ApiRequest, pod: StoredObject) -> str:
    """The requested container; optional for a pod with one container."""
    spec = pod.obj.get("spec") or {}
    names = [found["name"] for kind in ("containers", "initContainers") for found in spec.get(kind) or ()]
    wanted = call.query.get("container", "")
    if wanted and wanted not in names:
        raise bad_request(f"container {wanted} is not valid for pod {call.name}")
    if wanted or len(spec.get("containers") or ()) == 1:
        return wanted or str(spec["containers"][0]["name"])
    default = (pod.meta.get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    if default in names:
        return str(default)
    listed = " ".join(found["name"] for found in spec.get("containers") or ())
    raise bad_request(f"a container name must be specified for pod {call.name}, choose one of: [{listed}]")


def _check_options(call: ApiRequest) -> None:
    """Raises StatusError for numbers that PodLogOptions does not allow."""
    faults = []
    for name, least, text in _NUMBERS:
        given = call.query.get(name, "")
        if not given:
            continue
        if not re.fullmatch(r"-?[0-9]+", given):
            raise bad_request(f'strconv.ParseInt: parsing "{given}": invalid syntax')
        if int(given) < least:
            faults.append(invalid(name, int(given), text))
    if faults:
        raise invalid_object("", "PodLogOptions", call.name, faults)


async def serve(core: "ServerState", call: ApiRequest, request: web.BaseRequest) -> web.StreamResponse:
    """Stream a container's log. A log set by a test (`core.logs`) takes precedence over the node's."""
    pod = reads.get(core, call)
    _check_options(call)
    container = _container(call, pod)
    kept = core.logs.get((call.namespace, call.name, container))
    if kept is not None:
        lines = kept.splitlines(keepends=True)
        tail = call.query.get("tailLines")
        return web.Response(body=b"".join(lines[-int(tail) :] if tail else lines), content_type="text/plain")
    node = (pod.obj.get("spec") or {}).get("nodeName")
    if not node:
        return web.Response(status=204)
    url = _kubelet(core, node)
    query = {key: call.query[key] for key in _PASSED if key in call.query}
    target = f"{url}/containerLogs/{call.namespace}/{call.name}/{container}"
    try:
        async with aiohttp.ClientSession() as session, session.get(target, params=query, ssl=False) as found:
            answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
            await answer.prepare(request)
            async for chunk in found.content.iter_any():
                await answer.write(chunk)
            return answer
    except aiohttp.ClientConnectorError as error:
        raise internal(f'Get "{target}": {error}') from None


def _kubelet(core: "ServerState", name: str) -> str:
    node = core.store.get(("", "nodes"), "", name)
    status = (node.obj.get("status") or {}) if node is not None else {}
    addresses = [found["address"] for found in status.get("addresses") or () if found.get("type") == "InternalIP"]
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
    if not addresses or not port:
        raise internal(f"no preferred addresses found; known addresses: [] of node {name}")
    return f"https://{addresses[0]}:{port}"
