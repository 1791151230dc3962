"""Limits hold at every moment: the capability of queues, quotas of namespaces, and the minimum of gangs."""

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from local.backends import RealBackend, chosen
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import JOB, NAMESPACE, POD, PODGROUP, QUEUE
from shared.model.types import Body
from tests.e2e.support.pod_recorder import Check, PodRecorder, PodStates

BURSTS: Final = int(os.environ.get("BURSTS", "12"))
_NUMBERS: Final = itertools.count()


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """Two nodes of four CPUs. On a real control plane kube-scheduler binds."""
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    arguments = []
    if isinstance(backend, RealBackend):
        backend = RealBackend(backend.assets, scheduler=True)
        arguments = ["--no-scheduler"]
    options = ClusterOptions(
        nodes=2,
        cpu="4",
        memory="32Gi",
        speed=8.0,
        nodes_args=arguments,
        controller_args=("--no-leader-elect", "--gang-bind-timeout=4s"),
    )
    with LocalCluster(backend, options) as running:
        yield running


@pytest.fixture
def namespace(cluster: LocalCluster) -> Iterator[str]:
    """One for each test, whose pods are gone afterwards."""
    name = f"limits-{next(_NUMBERS)}"
    cluster.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.await_service_account(name)
    yield name
    delete_jobs(cluster, name)
    cluster.kube.delete(NAMESPACE, "", name)


@pytest.fixture
def small_queue(cluster: LocalCluster) -> Iterator[str]:
    """A queue that may use two CPUs."""
    name = f"small-{next(_NUMBERS)}"
    spec = {"capability": {"cpu": "2"}}
    cluster.apply({"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": name}, "spec": spec})
    cluster.kube.wait(QUEUE, "", name, lambda queue: (queue.get("status") or {}).get("state") == "Open")
    yield name
    cluster.kube.delete(QUEUE, "", name)


def job(namespace: str, name: str, pods: int = 1, minimum: int | None = None, **spec: object) -> Body:
    """Pods of one CPU that run until they are deleted."""
    container = {
        "name": "main",
        "image": "busybox",
        "command": ["sh", "-c", "sleep 4000"],
        "resources": {"requests": {"cpu": "1"}},
    }
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    task = {"name": "w", "replicas": pods, "template": {"spec": pod}}
    whole = {"minAvailable": pods if minimum is None else minimum, "tasks": [task], **spec}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": JOB.api_version, "kind": "Job", "metadata": metadata, "spec": whole}


def quota(namespace: str, **hard: str) -> Body:
    metadata = {"name": "quota", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}


def delete_jobs(cluster: LocalCluster, namespace: str) -> None:
    for each in cluster.kube.list(JOB, namespace):
        cluster.kube.delete(JOB, namespace, each["metadata"]["name"])
    until(lambda: not cluster.kube.list(POD, namespace), 60, lambda: "pods stay")
    until(lambda: not cluster.kube.list(PODGROUP, namespace), 60, lambda: "PodGroups stay")


def free_pods(cluster: LocalCluster, namespace: str) -> Counter[str]:
    """Pods without gate by Job."""
    pods = cluster.kube.list(POD, namespace)
    return Counter(
        pod["metadata"]["labels"]["volcano.sh/job-name"] for pod in pods if not pod["spec"].get("schedulingGates")
    )


def message(cluster: LocalCluster, namespace: str, name: str) -> str:
    state = (cluster.kube.get(JOB, namespace, name).get("status") or {}).get("state") or {}
    return f"{state.get('phase')}/{state.get('reason')}: {state.get('message')}"


def at_most(limit: int) -> Check:
    def check(pods: PodStates) -> str:
        free = sorted(name for name, pod in pods.items() if pod.free)
        return f"{free} run in a queue for {limit}" if len(free) > limit else ""

    return check


def test_a_burst_of_jobs_never_exceeds_the_capability_of_its_queue(
    cluster: LocalCluster, namespace: str, small_queue: str
) -> None:
    for number in range(BURSTS):
        with PodRecorder(cluster.kube, namespace, at_most(2)) as recorder:
            cluster.apply(*(job(namespace, f"burst-{number}-{each}", queue=small_queue) for each in range(3)))
            until(
                lambda: sum(free_pods(cluster, namespace).values()) == 2 and len(cluster.kube.list(POD, namespace)) == 3,
                30,
                lambda: f"{free_pods(cluster, namespace)} in burst {number}",
            )
            delete_jobs(cluster, namespace)
        assert recorder.seen > 0
        assert recorder.fault == "", f"burst {number}: {recorder.fault}"
