"""What `jobflow local status` reports: the processes, the API server and the nodes of a running cluster."""

import contextlib
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import urllib3

from local.client.blocking import BlockingClient
from local.client.rest import RestError
from local.state_folder import ClusterRecord
from shared.model.types import Body

GPU: Final = "nvidia.com/gpu"
_ANSWER_SECONDS: Final = 5.0
_CHECKS: Final = ("/livez?verbose", "/readyz?verbose")
_FAILED_CHECK: Final = re.compile(r"^\[-\](\S+)", re.MULTILINE)
_ENDED_PODS: Final = ("Succeeded", "Failed")


@dataclass(frozen=True)
class NodeOverview:
    """Allocatable amounts as the Node states them; `pods`: how many that have not ended are bound to it."""

    name: str
    ready: bool
    cpu: str
    memory: str
    gpus: str
    pods: int


@dataclass(frozen=True)
class ClusterOverview:
    """`kubernetes`: the API server's version, "" where it does not answer, and then `error` says why."""

    server: str
    kubernetes: str
    jobflow: str
    nodes: tuple[NodeOverview, ...] = ()
    error: str = ""

    @property
    def healthy(self) -> bool:
        return not self.error


def observe(record: ClusterRecord) -> ClusterOverview:
    """Ask the cluster's API server."""
    try:
        client = BlockingClient(Path(record.kubeconfig), seconds=_ANSWER_SECONDS, retries=0)
    except (OSError, ValueError, KeyError) as error:
        return ClusterOverview("", "", jobflow_version(), error=f"{record.kubeconfig}: {error}")
    try:
        kubernetes = client.request("GET", "/version")["gitVersion"]
        nodes = client.request("GET", "/api/v1/nodes")["items"]
        pods = client.request("GET", "/api/v1/pods")["items"]
    except (RestError, urllib3.exceptions.HTTPError) as error:
        return ClusterOverview(client.server, "", jobflow_version(), error=_why(client, error))
    return ClusterOverview(client.server, kubernetes, jobflow_version(), node_overviews(nodes, pods))


def _why(client: BlockingClient, error: Exception) -> str:
    """What keeps the API server from answering. Without its store it accepts requests and lets them wait."""
    if failed := _failed_checks(client):
        return f"the API server is not ready: failed checks: {', '.join(failed)}"
    return f"the API server does not answer: {error}"


def _failed_checks(client: BlockingClient) -> tuple[str, ...]:
    found: list[str] = []
    for path in _CHECKS:
        try:
            client.request("GET", path)
        except RestError as error:
            found += _FAILED_CHECK.findall(error.message)
        except urllib3.exceptions.HTTPError:
            break
    return tuple(dict.fromkeys(found))


def node_overviews(nodes: list[Body], pods: list[Body]) -> tuple[NodeOverview, ...]:
    counts: dict[str, int] = {}
    for pod in pods:
        if (pod.get("status") or {}).get("phase") not in _ENDED_PODS:
            name = pod["spec"].get("nodeName", "")
            counts[name] = counts.get(name, 0) + 1
    return tuple(_node(node, counts.get(node["metadata"]["name"], 0)) for node in nodes)


def jobflow_version() -> str:
    with contextlib.suppress(PackageNotFoundError):
        return version("jobflow")
    return "unknown"


def _node(node: Body, pods: int) -> NodeOverview:
    status: dict[str, Any] = node.get("status") or {}
    allocatable = status.get("allocatable") or {}
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())
    cpu, memory, gpus = (str(allocatable.get(name, "0")) for name in ("cpu", "memory", GPU))
    return NodeOverview(node["metadata"]["name"], ready, cpu, memory, gpus, pods)
