"""(m) The web pages: 5000 flows (times the scale) and one of 2000 steps, with 50 people who watch."""

import asyncio
import base64
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from yarl import URL

from bench import bodies
from bench.bodies import DIAMOND, layers
from bench.cluster import BenchCluster
from bench.peer import Side
from bench.procstat import usage
from bench.stats import percentile
from local.ports import free_port
from local.processes import module_name
from shared.kinds import JOBFLOW, Kind
from shared.model.types import Body

FLOWS: Final = 5000
STEPS: Final = 2000
PEOPLE: Final = 50
LOOKS: Final = 15
CHANGES: Final = 50
SYNC_SECONDS: Final = 400
NO_END: Final = aiohttp.ClientTimeout(total=None)
_CHUNK: Final = 250
_ACCOUNTS: Final = Kind("v1", "ServiceAccount", "serviceaccounts")
_BINDINGS: Final = Kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    count, steps = max(1, round(FLOWS * scale)), max(2, round(STEPS * scale))
    async with bench_cluster.namespace() as namespace, AsyncExitStack() as stack:
        made = [bodies.flow(namespace, f"f{at}", DIAMOND) for at in range(count)]
        for at in range(0, count, _CHUNK):
            await bench_cluster.create_all(JOBFLOW, made[at : at + _CHUNK])
        await bench_cluster.api.create(JOBFLOW, bodies.flow(namespace, "large", layers(steps // 2)))
        server = await stack.enter_async_context(_serving(bench_cluster))
        people = [
            await stack.enter_async_context(_signed_in(server, token))
            for token in await _tokens(bench_cluster, namespace)
        ]
        found = await _look(people[0], namespace)
        found |= await _changes(bench_cluster, people, namespace)
        return {"flows": count, "steps": steps, **found, "resident_mib": usage(server.pid).resident}


class _Server:
    def __init__(self, url: str, pid: int) -> None:
        self.url, self.pid = url, pid


@asynccontextmanager
async def _serving(bench_cluster: BenchCluster) -> AsyncIterator[_Server]:
    port = free_port()
    with tempfile.NamedTemporaryFile(suffix=".crt") as authority:
        address = _api_server(bench_cluster.cluster.kubeconfig, Path(authority.name))
        arguments = ["--plain-http", "--host=127.0.0.1", f"--port={port}", f"--api-server={address}"]
        arguments += [f"--api-ca-file={authority.name}", "--log-level=warning"]
        command = [sys.executable, "-m", module_name("web"), *arguments]
        process = bench_cluster.cluster.processes.start("web", command)
        async with _until_served(bench_cluster, port):
            yield _Server(f"http://127.0.0.1:{port}", process.pid)


def _api_server(kubeconfig: Path, authority: Path) -> str:
    """Its URL; its certificate authority goes to the file."""
    (cluster,) = yaml.safe_load(kubeconfig.read_text())["clusters"]
    found = cluster["cluster"]
    if "certificate-authority-data" in found:
        authority.write_bytes(base64.b64decode(found["certificate-authority-data"]))
    else:
        authority.write_bytes(Path(found["certificate-authority"]).read_bytes())
    return str(found["server"])


@asynccontextmanager
async def _until_served(bench_cluster: BenchCluster, port: int) -> AsyncIterator[None]:
    """Stops the process at the end."""
    try:
        async with aiohttp.ClientSession() as http:
            for _ in range(300):
                if await _answers(http, f"http://127.0.0.1:{port}"):
                    break
                await asyncio.sleep(0.2)
        yield
    finally:
        bench_cluster.cluster.processes.stop("web")


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/healthz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _tokens(bench_cluster: BenchCluster, namespace: str) -> list[str]:
    """Of as many service accounts, which may do everything."""
    api, found = bench_cluster.api, []
    for at in range(PEOPLE):
        name = f"person-{at}"
        await api.create(_ACCOUNTS, _named("v1", "ServiceAccount", name, namespace))
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        binding = _named(_BINDINGS.api_version, "ClusterRoleBinding", f"{namespace}-{name}")
        await api.create(_BINDINGS, {**binding, "roleRef": role, "subjects": [subject]})
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        }
        answer = await api.create(_ACCOUNTS, request, namespace=namespace, name=name, subresource="token")
        found.append(str(answer["status"]["token"]))
    return found


def _named(api_version: str, kind: str, name: str, namespace: str = "") -> Body:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


class _Person:
    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url, self.http = url, http

    async def get(self, path: str) -> float:
        """Milliseconds until the whole page is there."""
        begun = time.perf_counter()
        async with self.http.get(self.url + path) as answer:
            await answer.read()
            answer.raise_for_status()
        return (time.perf_counter() - begun) * 1000


@asynccontextmanager
async def _signed_in(server: _Server, token: str) -> AsyncIterator[_Person]:
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(server.url)])
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        form = {"token": token, "next": "/healthz"}
        async with http.post(f"{server.url}/signin", data=form, headers={"Origin": server.url}) as answer:
            answer.raise_for_status()
        yield _Person(server.url, http)


async def _look(person: _Person, namespace: str) -> dict[str, float]:
    first = await person.get(f"/flows?namespace={namespace}")
    await asyncio.sleep(5)
    lists = [await person.get(f"/flows?namespace={namespace}&sort=-progress") for _ in range(LOOKS)]
    graphs = [await person.get(f"/flows/{namespace}/large") for _ in range(LOOKS)]
    steps = [await person.get(f"/flows/{namespace}/large?tab=steps") for _ in range(LOOKS)]
    return {
        "list_first_ms": first,
        "list_median_ms": percentile(lists, 50),
        "graph_first_ms": graphs[0],
        "graph_median_ms": percentile(graphs, 50),
        "steps_first_ms": steps[0],
        "steps_median_ms": percentile(steps, 50),
    }


async def _changes(bench_cluster: BenchCluster, people: list[_Person], namespace: str) -> dict[str, float]:
    """How long it takes from a stored change to the event in every browser, and on to the page that shows it."""
    async with AsyncExitStack() as stack:
        query = f"/live?topic=jobflows/{namespace}&topic=jobflows/{namespace}/f0"
        streams = [await stack.enter_async_context(each.http.get(each.url + query, timeout=NO_END)) for each in people]
        listeners = [_Listener(stream.content) for stream in streams]
        async with asyncio.timeout(SYNC_SECONDS):  # every person's watch lists all flows first
            while not all(each.notified.is_set() for each in listeners):
                await _change(bench_cluster, namespace, "begin")  # an existing watch reports changes only
                await asyncio.sleep(1)
        events, pages = [], []
        for at in range(CHANGES):
            await asyncio.sleep(0.3)  # what comes late of the last change
            for each in listeners:
                each.notified.clear()
            begun = time.perf_counter()
            await _change(bench_cluster, namespace, f"turn {at}")
            async with asyncio.timeout(20):
                await asyncio.gather(*(each.notified.wait() for each in listeners))
            events += [(each.at - begun) * 1000 for each in listeners]
            pages.append((listeners[0].at - begun) * 1000 + await people[0].get(f"/flows/{namespace}/f0"))
        for each in listeners:
            each.reading.cancel()
    return {"event_p95_ms": percentile(events, 95), "event_and_page_p95_ms": percentile(pages, 95)}


async def _change(bench_cluster: BenchCluster, namespace: str, text: str) -> None:
    patch = {"status": {"state": {"phase": "Running"}, "nextSummary": text}}
    await bench_cluster.api.patch(JOBFLOW, namespace, "f0", patch, subresource="status")


class _Listener:
    """Notes when a browser learns that the flow has changed."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self.notified = asyncio.Event()
        self.at = 0.0
        self.reading = asyncio.create_task(self._read(content))

    async def _read(self, content: aiohttp.StreamReader) -> None:
        while line := await content.readline():
            if line.startswith(b"data: [") and any(topic.endswith("/f0") for topic in json.loads(line[6:])):
                self.at = time.perf_counter()
                self.notified.set()
