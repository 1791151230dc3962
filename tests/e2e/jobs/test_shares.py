"""Queues share a cluster: groups of queues above their share are evicted, capacity is reserved for groups that wait
long, and limits always hold."""

import itertools
from collections.abc import Iterator
from typing import Final

import pytest

from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import JOB, NAMESPACE, POD, PODGROUP, QUEUE
from shared.model.types import Body
from tests.e2e.jobs.conftest import BindingBackend

_NUMBERS: Final = itertools.count()


@pytest.fixture(scope="module")
def shared(binding: BindingBackend) -> Iterator[LocalCluster]:
    """Three nodes of four CPUs."""
    backend, arguments = binding
    given = ("--no-leader-elect", "--reclaim", "--gang-reserve-after=1s")
    options = ClusterOptions(nodes=3, cpu="4", memory="32Gi", speed=8.0, nodes_args=arguments, controller_args=given)
    with LocalCluster(backend, options) as running:
        yield running


@pytest.fixture
def queues(shared: LocalCluster) -> Iterator[None]:
    """rich (deserves 4, may use 12), poor (deserves 8), team (at most 8) above team-day and team-night (4 each)."""
    specs: dict[str, Body] = {
        "rich": {"deserved": {"cpu": "4"}},
        "poor": {"deserved": {"cpu": "8"}, "weight": 2},
        "firm": {"reclaimable": False, "deserved": {"cpu": "1"}},
        "team": {"capability": {"cpu": "8"}, "deserved": {"cpu": "8"}},
        "team-day": {"parent": "team", "deserved": {"cpu": "4"}, "priority": 3},
        "team-night": {"parent": "team", "deserved": {"cpu": "4"}},
    }
    for name, spec in specs.items():
        shared.apply({"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": name}, "spec": spec})
        shared.kube.wait(QUEUE, "", name, lambda queue: (queue.get("status") or {}).get("state") == "Open")
    yield
    for name in reversed(specs):
        shared.kube.delete(QUEUE, "", name)


@pytest.fixture
def namespace(shared: LocalCluster) -> Iterator[str]:
    """Its pods are deleted after the test, also if it fails."""
    name = f"shares-{next(_NUMBERS)}"
    shared.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    for each in shared.kube.list(JOB, name):
        shared.kube.delete(JOB, name, each["metadata"]["name"])
    until(lambda: not shared.kube.list(POD, name), 60, lambda: "its pods stay")
    shared.kube.delete(NAMESPACE, "", name)


def job(namespace: str, name: str, pods: int, queue: str = "default", seconds: int = 4000) -> Body:
    requests = {"requests": {"cpu": "1"}}
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", f"sleep {seconds}"], "resources": requests}
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    spec = {"queue": queue, "minAvailable": pods, "tasks": [{"name": "w", "replicas": pods, "template": {"spec": pod}}]}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": JOB.api_version, "kind": "Job", "metadata": metadata, "spec": spec}


def bound(cluster: LocalCluster, namespace: str, name: str) -> int:
    found = cluster.kube.list(POD, namespace, f"volcano.sh/job-name={name}")
    return sum(bool(pod["spec"].get("nodeName")) and "deletionTimestamp" not in pod["metadata"] for pod in found)


def gated(cluster: LocalCluster, namespace: str, name: str) -> int:
    found = cluster.kube.list(POD, namespace, f"volcano.sh/job-name={name}")
    return sum(bool(pod["spec"].get("schedulingGates")) for pod in found)


def has(cluster: LocalCluster, namespace: str, name: str, pods: int) -> None:
    until(lambda: bound(cluster, namespace, name) == pods, 60, lambda: f"{name}: {message(cluster, namespace, name)}")


def message(cluster: LocalCluster, namespace: str, name: str) -> str:
    state = (cluster.kube.get(JOB, namespace, name).get("status") or {}).get("state") or {}
    return f"{bound(cluster, namespace, name)} bound; {state.get('phase')}: {state.get('message')}"


def evicted(cluster: LocalCluster, namespace: str) -> set[str]:
    """Jobs whose groups were evicted."""
    events = cluster.kube.request("GET", f"/api/v1/namespaces/{namespace}/events")["items"]
    return {each["involvedObject"]["name"].rsplit("-", 5)[0] for each in events if each["reason"] == "Evicted"}


def test_a_group_of_a_queue_above_its_share_is_evicted_whole_and_created_again(
    shared: LocalCluster, queues: None, namespace: str
) -> None:
    for name, queue, pods in (("old", "rich", 4), ("firm", "firm", 4), ("young", "rich", 4)):
        shared.apply(job(namespace, name, pods, queue))
        has(shared, namespace, name, pods)
    shared.apply(job(namespace, "claims", 4, "poor"))
    has(shared, namespace, "claims", 4)
    until(lambda: evicted(shared, namespace), 30, lambda: "nobody gives way")
    (gone,) = evicted(shared, namespace)
    (stays,) = {"old", "young"} - {gone}  # the younger one, unless they are of one second
    until(lambda: gated(shared, namespace, gone) == 4, 60, lambda: message(shared, namespace, gone))
    assert bound(shared, namespace, stays) == bound(shared, namespace, "firm") == 4
    shared.kube.delete(JOB, namespace, "claims")
    has(shared, namespace, gone, 4)


def test_child_queues_reclaim_what_they_deserve(shared: LocalCluster, queues: None, namespace: str) -> None:
    guaranteed = {"metadata": {"name": "team-night"}, "spec": {"guarantee": {"resource": {"cpu": "1"}}}}
    shared.kube.patch(QUEUE, "", "team-night", guaranteed)
    shared.apply(job(namespace, "first", 4, "team-day"))
    has(shared, namespace, "first", 4)
    kept = "cpu 1 is kept for the guarantee of other queues"
    shared.apply(job(namespace, "all", 8))
    until(lambda: kept in message(shared, namespace, "all"), 60, lambda: message(shared, namespace, "all"))
    shared.kube.delete(JOB, namespace, "all")
    shared.apply(job(namespace, "second", 4, "team-day"))
    has(shared, namespace, "second", 4)
    shared.apply(job(namespace, "claims", 4, "team-night"))
    has(shared, namespace, "claims", 4)
    until(lambda: gated(shared, namespace, "second") == 4, 60, lambda: message(shared, namespace, "second"))
    assert bound(shared, namespace, "first") == 4
    limit = "queue team uses cpu 8 of 8 (spec.capability)"
    until(lambda: limit in message(shared, namespace, "second"), 60, lambda: message(shared, namespace, "second"))

    def allocated() -> str:
        return str((shared.kube.get(QUEUE, "", "team").get("status") or {}).get("allocated"))

    until(lambda: allocated() == str({"cpu": "8", "pods": "8"}), 30, allocated)


def test_nodes_are_reserved_for_a_large_group_while_small_ones_keep_coming(
    shared: LocalCluster, namespace: str
) -> None:
    for number in range(10):
        shared.apply(job(namespace, f"small-{number}", 1, seconds=40 + 16 * number))
    has(shared, namespace, "small-9", 1)
    shared.apply(job(namespace, "large", 11))
    until(lambda: gated(shared, namespace, "large") == 11, 30, lambda: message(shared, namespace, "large"))
    until(lambda: "free on 3 nodes" in message(shared, namespace, "large"), 30, lambda: "waits for no room")
    numbers = itertools.count(100)

    def another_comes() -> bool:
        waiting = [pod for pod in shared.kube.list(POD, namespace) if pod["spec"].get("schedulingGates")]
        if len(waiting) < 11 + 3:
            shared.apply(job(namespace, f"small-{next(numbers)}", 1, seconds=160))
        return bound(shared, namespace, "large") == 11

    until(another_comes, 120, lambda: message(shared, namespace, "large"))
    groups = {each["metadata"]["name"].rsplit("-", 5)[0]: each for each in shared.kube.list(PODGROUP, namespace)}
    assert any(name.startswith("small-") and each["status"]["phase"] == "Pending" for name, each in groups.items())
