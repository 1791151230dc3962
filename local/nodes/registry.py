"""The simulated Node objects: create them, renew leases and conditions, remove taints, delete them at the end."""

import asyncio
import contextlib
import logging
import time

import aiohttp

from local.client.rest import RestClient, RestError, patiently
from local.nodes.kubelet.host import NODE_IP
from local.nodes.settings import NodeSettings
from local.nodes.timestamps import micro_text, now_text
from shared.model.types import Body

_LOG = logging.getLogger("nodes")
_NODES = "/api/v1/nodes"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_NEW_NODE_TAINT = "node.kubernetes.io/not-ready"
_LEASE_SECONDS = 40
_HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "Ready": ("True", "KubeletReady"),
}
_DISK = "100Gi"


class NodeRegistry:
    """`names`: of the simulated nodes."""

    def __init__(self, client: RestClient, settings: NodeSettings, kubelet_port: int) -> None:
        self.names = [f"{settings.prefix}-{index}" for index in range(settings.nodes)]
        self._client = client
        self._settings = settings
        self._port = kubelet_port

    async def register(self) -> None:
        """Create or update every node. Raises RestError if the server refuses them."""
        await _ensure(self._client, "/api/v1/namespaces", _namespace("kube-node-lease"))
        async with asyncio.TaskGroup() as group:
            for name in self.names:
                group.create_task(self._register(name))

    async def keep_alive(self) -> None:
        """Never returns; cancel it."""
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds)
            for name in self.names:
                try:
                    await self._renew(name)
                    await self._report(name)
                    await self._untaint(name)
                except (RestError, aiohttp.ClientError, TimeoutError) as error:
                    _LOG.info("heartbeat of %s: %s", name, error)
                    if isinstance(error, RestError) and error.code == 404:
                        await self._again(name)

    async def remove(self) -> None:
        for name in self.names:
            with contextlib.suppress(RestError, aiohttp.ClientError, TimeoutError):
                await self._client.delete(f"{_NODES}/{name}")

    async def _again(self, name: str) -> None:
        with contextlib.suppress(RestError, aiohttp.ClientError, TimeoutError):
            await self._register(name)

    async def _register(self, name: str) -> None:
        await patiently(_ensure, self._client, _NODES, node(name, self._settings))
        await patiently(self._report, name)
        await patiently(self._renew, name)
        await patiently(self._untaint, name)

    async def _report(self, name: str) -> None:
        body = {"status": node_status(self._settings, self._port, now_text())}
        await self._client.patch(f"{_NODES}/{name}/status", body)

    async def _renew(self, name: str) -> None:
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": _LEASE_SECONDS,
            "renewTime": micro_text(time.time()),
        }
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": "kube-node-lease"},
            "spec": spec,
        }
        if not await _ensure(self._client, _LEASES, lease):
            await self._client.patch(f"{_LEASES}/{name}", {"spec": spec})

    async def _untaint(self, name: str) -> None:
        """Remove the taint of a new node, which the node lifecycle controller does where one runs."""
        found = await self._client.get(f"{_NODES}/{name}")
        taints = found["spec"].get("taints") or []
        kept = [each for each in taints if each["key"] != _NEW_NODE_TAINT]
        if len(kept) < len(taints):
            await self._client.patch(f"{_NODES}/{name}", {"spec": {"taints": kept}})


def node(name: str, settings: NodeSettings) -> Body:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "jobflow.dev/stand-in": "true",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels | dict(settings.labels)},
        "spec": {},
    }


def node_status(settings: NodeSettings, port: int, now: str) -> Body:
    resources = {
        "cpu": settings.cpu,
        "memory": settings.memory,
        "ephemeral-storage": _DISK,
        "pods": str(settings.pods),
    }
    if settings.gpus:
        resources[settings.gpu_resource] = str(settings.gpus)
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": reason,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        for kind, (status, reason) in _HEALTHY.items()
    ]
    return {
        "capacity": resources,
        "allocatable": resources,
        "conditions": conditions,
        "addresses": [{"type": "InternalIP", "address": NODE_IP}, {"type": "Hostname", "address": NODE_IP}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "nodeInfo": _NODE_INFO,
    }


_NODE_INFO = {
    "architecture": "amd64",
    "operatingSystem": "linux",
    "kubeletVersion": "v1.36.0-standin",
    "kubeProxyVersion": "",
    "containerRuntimeVersion": "standin://1",
    "kernelVersion": "standin",
    "osImage": "standin",
    "bootID": "",
    "machineID": "",
    "systemUUID": "",
}


def _namespace(name: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


async def _ensure(client: RestClient, path: str, body: Body) -> bool:
    """Create the object unless it exists. Whether it was created."""
    try:
        await client.create(path, body)
    except RestError as error:
        if error.code != 409:
            raise
        return False
    return True
