"""The cluster that loads run on: an embedded or real API server, CRDs, namespaces and the record of requests."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from bench.audit import AuditLogTrail, AuditTrail, CountedRequest, parse_record
from bench.procstat import tree_cpu
from local.backends import RealBackend, chosen
from local.client.blocking import BlockingClient
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import CRD, NAMESPACE, Kind
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError, NotFound
from shared.kube.client.transport import Transport
from shared.model.types import Body

AGENT: Final = "jobflow-bench"
GONE_SECONDS: Final = 90.0
SETTLE_SECONDS: Final = 2.0  # late writes count for the load too
_NUMBERS: Final = itertools.count()


class RecordTrail:
    """The requests that the embedded server has recorded."""

    def __init__(self, kube: BlockingClient) -> None:
        self._kube = kube

    def mark(self) -> None:
        self._kube.request("DELETE", "/testing/audit")

    def since(self) -> list[CountedRequest]:
        return list(parse_record(self._kube.request("GET", "/testing/audit")))


class BenchCluster:
    """`cluster` has no webhook and no controller: loads start what they measure. `api`: the client of the benchmark."""

    def __init__(self, cluster: LocalCluster, api: Api) -> None:
        self.cluster = cluster
        self.api = api
        log = cluster.endpoint.audit
        self.trail: AuditTrail = AuditLogTrail(log) if log is not None else RecordTrail(cluster.kube)

    def server_cpu(self) -> float:
        """CPU seconds of the API server and, on a real control plane, of etcd and the controller manager."""
        running = self.cluster.processes
        return sum(tree_cpu(running[name].pid) for name in ("controlplane", "apiserver") if name in running)

    @contextlib.asynccontextmanager
    async def namespace(self) -> AsyncIterator[str]:
        """A new namespace, which is deleted with all its objects at the end of the block."""
        name = f"bench-{os.getpid()}-{next(_NUMBERS)}"
        await self.api.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        try:
            await asyncio.to_thread(self.cluster.await_service_account, name)
            yield name
        finally:
            await self._remove(name)

    async def _remove(self, name: str) -> None:
        with contextlib.suppress(ApiError, TimeoutError):
            async with asyncio.timeout(GONE_SECONDS):
                await self.api.delete(NAMESPACE, "", name)
                while True:
                    await self.api.get(NAMESPACE, "", name)
                    await asyncio.sleep(0.2)

    async def create_all(self, kind: Kind, bodies: Sequence[Body]) -> None:
        """Create the objects as fast as the API server accepts them."""
        await asyncio.gather(*(self.api.create(kind, body) for body in bodies))

    async def exists(self, kind: Kind, namespace: str, name: str) -> bool:
        try:
            await self.api.get(kind, namespace, name)
        except NotFound:
            return False
        return True


@contextlib.contextmanager
def cluster_of(backend: str, more_crds: str = "") -> Iterator[LocalCluster]:
    """`more_crds`: a folder with further CRDs that the peer needs. Ours take precedence."""
    base = chosen(backend)
    given = replace(base, audit=True) if isinstance(base, RealBackend) else base
    with LocalCluster(given, ClusterOptions(nodes=0, webhook=False, controller=False, log_level="warning")) as cluster:
        for path in sorted(Path(more_crds).glob("*.yaml")) if more_crds else ():
            body = yaml.safe_load(path.read_text())
            if cluster.kube.find(CRD, "", body["metadata"]["name"]) is None:
                cluster.kube.create(CRD, body)
        yield cluster


@contextlib.asynccontextmanager
async def bench_cluster_on(cluster: LocalCluster) -> AsyncIterator[BenchCluster]:
    access = await connect.load(str(cluster.kubeconfig), "")
    async with Api(Transport(access, user_agent=AGENT, connections=40)) as api:
        yield BenchCluster(cluster, api)
