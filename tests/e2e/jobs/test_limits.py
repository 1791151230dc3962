"""Limits hold at every moment: the capability of queues, quotas of namespaces, and the minimum of gangs."""

import itertools
import os
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from typing import Final

import pytest

from local.backends import RealBackend, chosen
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import COMMAND, JOB, JOBFLOW, JOBTEMPLATE, NAMESPACE, NODE, POD, PODGROUP, QUEUE, RESOURCEQUOTA, Kind
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


def without_requests(job: Body) -> Body:
    [container] = job["spec"]["tasks"][0]["template"]["spec"]["containers"]
    del container["resources"]
    return job


def quota(namespace: str, **hard: str) -> Body:
    metadata = {"name": "quota", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}


def delete_jobs(cluster: LocalCluster, namespace: str) -> None:
    for each in cluster.kube.list(JOB, namespace):
        cluster.kube.delete(JOB, namespace, each["metadata"]["name"])
    until(lambda: not cluster.kube.list(POD, namespace), 60, lambda: "pods stay")
    until(lambda: not cluster.kube.list(PODGROUP, namespace), 60, lambda: "PodGroups stay")


def free_pods(cluster: LocalCluster, namespace: str, without: Container[str] = ()) -> Counter[str]:
    """Pods without gate by Job, but for those whose uid is in `without`."""
    pods = [pod for pod in cluster.kube.list(POD, namespace) if pod["metadata"]["uid"] not in without]
    return Counter(
        pod["metadata"]["labels"]["volcano.sh/job-name"] for pod in pods if not pod["spec"].get("schedulingGates")
    )


def running(cluster: LocalCluster, namespace: str) -> int:
    """Pods that a node runs. A pod without node is gone as soon as it is deleted, without its grace period."""
    return sum((pod.get("status") or {}).get("phase") == "Running" for pod in cluster.kube.list(POD, namespace))


def message(cluster: LocalCluster, namespace: str, name: str) -> str:
    state = (cluster.kube.get(JOB, namespace, name).get("status") or {}).get("state") or {}
    return f"{state.get('phase')}/{state.get('reason')}: {state.get('message')}"


def at_most(limit: int) -> Check:
    def check(pods: PodStates) -> str:
        free = sorted(name for name, pod in pods.items() if pod.free)
        return f"{free} run in a queue for {limit}" if len(free) > limit else ""

    return check


def starts(cluster: LocalCluster, namespace: str, name: str, pods: int, seconds: float = 60) -> None:
    """Wait until so many pods of the Job have no gate."""
    until(lambda: free_pods(cluster, namespace)[name] == pods, seconds, lambda: message(cluster, namespace, name))


def says(cluster: LocalCluster, namespace: str, name: str, text: str, seconds: float = 30) -> None:
    """Wait until the Job's message has the text."""
    until(lambda: text in message(cluster, namespace, name), seconds, lambda: message(cluster, namespace, name))


def whole_gangs(minimums: Mapping[str, int]) -> Check:
    """Of each Job, at least its minimum exists whenever a pod of it is without gate, unless its pods are being deleted."""

    def check(pods: PodStates) -> str:
        for name, minimum in list(minimums.items()):
            own = [pod for pod in pods.values() if pod.job == name]
            current = [pod for pod in own if not pod.terminating]
            if any(pod.free for pod in current) and len(current) < minimum and len(own) == len(current):
                return f"{name}: {len(current)} of {minimum} pods exist, and one is without gate"
        return ""

    return check


def command(cluster: LocalCluster, kind: Kind, namespace: str, name: str, action: str) -> None:
    uid = cluster.kube.get(kind, namespace, name)["metadata"]["uid"]
    target = {"apiVersion": kind.api_version, "kind": kind.kind, "name": name, "uid": uid}
    metadata = {"generateName": f"{name}-", "namespace": namespace or "default"}
    body = {
        "apiVersion": COMMAND.api_version,
        "kind": "Command",
        "metadata": metadata,
        "action": action,
        "target": target,
    }
    cluster.kube.create(COMMAND, body)


def test_a_burst_of_jobs_never_exceeds_the_capability_of_its_queue(
    cluster: LocalCluster, namespace: str, small_queue: str
) -> None:
    for number in range(BURSTS):
        with PodRecorder(cluster.kube, namespace, at_most(2)) as recorder:
            cluster.apply(*(job(namespace, f"burst-{number}-{each}", queue=small_queue) for each in range(3)))
            until(
                lambda: (
                    sum(free_pods(cluster, namespace).values()) == 2 and len(cluster.kube.list(POD, namespace)) == 3
                ),
                30,
                lambda: f"{free_pods(cluster, namespace)} run",
            )
            delete_jobs(cluster, namespace)
        assert recorder.seen > 0
        assert recorder.fault == "", f"burst {number}: {recorder.fault}"


def test_parallel_steps_of_a_flow_never_exceed_the_capability_of_their_queue(
    cluster: LocalCluster, namespace: str, small_queue: str
) -> None:
    """A Job of one CPU, and a flow whose two steps start at once."""
    body = job(namespace, "unused", queue=small_queue)
    meta = {"name": "one", "namespace": namespace}
    cluster.apply(
        {"apiVersion": JOBTEMPLATE.api_version, "kind": "JobTemplate", "metadata": meta, "spec": body["spec"]}
    )
    for number in range(BURSTS):
        steps = [{"name": name, "template": "one"} for name in ("a", "b")]
        meta = {"name": f"flow-{number}", "namespace": namespace}
        made = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "metadata": meta, "spec": {"flows": steps}}
        with PodRecorder(cluster.kube, namespace, at_most(2)) as recorder:
            cluster.apply(job(namespace, f"beside-{number}", queue=small_queue), made)
            until(
                lambda: (
                    sum(free_pods(cluster, namespace).values()) == 2 and len(cluster.kube.list(POD, namespace)) == 3
                ),
                30,
                lambda: f"{free_pods(cluster, namespace)} run",
            )
            cluster.kube.delete(JOBFLOW, namespace, f"flow-{number}")
            delete_jobs(cluster, namespace)
        assert recorder.seen > 0
        assert recorder.fault == "", f"burst {number}: {recorder.fault}"


def test_requests_that_a_limit_range_adds_count_for_the_capability_of_the_queue(
    cluster: LocalCluster, namespace: str, small_queue: str
) -> None:
    """The Jobs ask for nothing; the API server adds one CPU to each of their pods."""
    limits = [{"type": "Container", "defaultRequest": {"cpu": "1"}, "default": {"cpu": "1"}}]
    metadata = {"name": "defaults", "namespace": namespace}
    cluster.apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": limits}})
    with PodRecorder(cluster.kube, namespace, at_most(2)) as recorder:
        cluster.apply(*(without_requests(job(namespace, f"each-{each}", queue=small_queue)) for each in range(6)))
        until(
            lambda: sum(free_pods(cluster, namespace).values()) == 2 and len(cluster.kube.list(POD, namespace)) == 6,
            30,
            lambda: f"{free_pods(cluster, namespace)} run",
        )
    assert recorder.fault == ""


def test_a_gang_that_a_quota_never_allows_runs_no_pod_and_starts_when_the_quota_is_raised(
    cluster: LocalCluster, namespace: str
) -> None:
    cluster.kube.create(RESOURCEQUOTA, quota(namespace, pods="1"))
    with PodRecorder(cluster.kube, namespace, whole_gangs({"half": 2})) as recorder:
        cluster.apply(job(namespace, "half", 2))
        until(
            lambda: "never fits" in message(cluster, namespace, "half") and not cluster.kube.list(POD, namespace),
            30,
            lambda: message(cluster, namespace, "half"),
        )
        cluster.kube.patch(RESOURCEQUOTA, namespace, "quota", quota(namespace, pods="4"))
        starts(cluster, namespace, "half", 2, 60)
    assert recorder.fault == "", recorder.fault


def test_gangs_that_share_a_quota_run_one_after_the_other_and_the_oldest_first(
    cluster: LocalCluster, namespace: str
) -> None:
    cluster.kube.create(RESOURCEQUOTA, quota(namespace, pods="3"))
    names = ["first", "second", "third"]
    minimums = dict.fromkeys(names, 2)
    with PodRecorder(cluster.kube, namespace, whole_gangs(minimums)) as recorder:
        cluster.apply(job(namespace, "first", 2))
        starts(cluster, namespace, "first", 2, 30)
        for name in names[1:]:
            cluster.apply(job(namespace, name, 2))
            says(cluster, namespace, name, "quota")
        for ended, following in itertools.pairwise(names):
            del minimums[ended]
            cluster.kube.delete(JOB, namespace, ended)
            starts(cluster, namespace, following, 2)
            assert set(free_pods(cluster, namespace)) <= {ended, following}
    assert recorder.fault == "", recorder.fault


def test_two_gangs_in_one_apply_do_not_lock_each_other_out_of_a_quota(cluster: LocalCluster, namespace: str) -> None:
    for number in range(3):
        body = quota(namespace, pods="2")
        cluster.kube.apply(RESOURCEQUOTA, body)
        names = [f"pair-{number}-{each}" for each in range(3)]
        with PodRecorder(cluster.kube, namespace, whole_gangs(dict.fromkeys(names, 2))) as recorder:
            cluster.apply(*(job(namespace, name, 2) for name in names))
            until(
                lambda: sum(free_pods(cluster, namespace).values()) == 2, 60, lambda: str(free_pods(cluster, namespace))
            )
        assert recorder.fault == "", recorder.fault
        delete_jobs(cluster, namespace)


@pytest.mark.parametrize(("others", "state"), [((), "Closed"), (("stays",), "Closing")], ids=["closed", "closing"])
def test_a_job_resumed_in_a_closed_queue_creates_no_pods_and_runs_when_the_queue_opens(
    cluster: LocalCluster, namespace: str, small_queue: str, others: tuple[str, ...], state: str
) -> None:
    cluster.apply(*(job(namespace, name, 1, queue=small_queue) for name in ("waits", *others)))
    for name in ("waits", *others):
        starts(cluster, namespace, name, 1, 30)
    command(cluster, JOB, namespace, "waits", "AbortJob")
    until(lambda: len(cluster.kube.list(POD, namespace)) == len(others), 30, lambda: "pods stay")
    command(cluster, QUEUE, "", small_queue, "CloseQueue")
    cluster.kube.wait(QUEUE, "", small_queue, lambda queue: queue["status"]["state"] == state, 30)
    command(cluster, JOB, namespace, "waits", "ResumeJob")
    says(cluster, namespace, "waits", "is closed", 30)
    assert message(cluster, namespace, "waits").startswith("Pending/QueueClosed")
    assert len(cluster.kube.list(POD, namespace)) == len(others)
    command(cluster, QUEUE, "", small_queue, "OpenQueue")
    starts(cluster, namespace, "waits", 1, 30)


def test_a_restarted_gang_waits_until_all_of_its_old_pods_are_gone(cluster: LocalCluster, namespace: str) -> None:
    def finalizers(pod: str, value: list[str] | None) -> None:
        cluster.kube.patch(POD, namespace, pod, {"metadata": {"finalizers": value}})

    with PodRecorder(cluster.kube, namespace, whole_gangs({"again": 2})) as recorder:
        cluster.apply(job(namespace, "again", 2))
        until(lambda: running(cluster, namespace) == 2, 60, lambda: message(cluster, namespace, "again"))
        old = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in cluster.kube.list(POD, namespace)}
        for name in old.values():
            finalizers(name, ["example.com/slow"])
        command(cluster, JOB, namespace, "again", "RestartJob")
        for name, about in zip(sorted(old.values()), ("2 pods", "pod again-w-1"), strict=True):
            says(cluster, namespace, "again", f"not ended 30 s after the grace period: {about}", 90)
            assert not free_pods(cluster, namespace, without=old)
            finalizers(name, None)

        def runs_again() -> bool:
            return free_pods(cluster, namespace, without=old)["again"] == 2

        until(runs_again, 90, lambda: message(cluster, namespace, "again"))
    assert recorder.fault == "", recorder.fault


def test_a_running_gang_keeps_the_place_of_a_pod_that_is_deleted(
    cluster: LocalCluster, namespace: str, small_queue: str
) -> None:
    """A Job that waits for the same queue does not start in between."""
    cluster.apply(job(namespace, "gang", 2, queue=small_queue))
    until(lambda: running(cluster, namespace) == 2, 60, lambda: message(cluster, namespace, "gang"))
    cluster.apply(job(namespace, "waits", queue=small_queue))
    says(cluster, namespace, "waits", "uses cpu 2 of 2 (spec.capability)")
    for index in (0, 1, 0, 1, 0):
        name = f"gang-w-{index}"
        uid = cluster.kube.get(POD, namespace, name)["metadata"]["uid"]
        cluster.kube.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}", {"gracePeriodSeconds": 0})
        cluster.kube.wait(POD, namespace, name, lambda pod, uid=uid: _runs_anew(pod, uid))
    assert free_pods(cluster, namespace) == Counter({"gang": 2})
    cluster.kube.delete(JOB, namespace, "gang")
    starts(cluster, namespace, "waits", 1)


def _runs_anew(pod: Body, uid: str) -> bool:
    return bool(pod["metadata"]["uid"] != uid and pod["status"].get("phase") == "Running")


def test_never_fits_is_reported_only_if_no_other_job_can_make_room(cluster: LocalCluster, namespace: str) -> None:
    for number in range(8):
        container = {
            "name": "c",
            "image": "busybox",
            "command": ["sleep", "4000"],
            "resources": {"requests": {"cpu": "900m"}},
        }
        metadata = {"name": f"other-{number}", "namespace": namespace}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
        cluster.kube.create(POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    until(
        lambda: all(pod["spec"].get("nodeName") for pod in cluster.kube.list(POD, namespace)), 30, lambda: "not bound"
    )
    cluster.apply(job(namespace, "blocked", 4), job(namespace, "huge", 9))
    says(cluster, namespace, "blocked", "pods without PodGroup use", 20)
    assert "never fits" not in message(cluster, namespace, "blocked")
    says(cluster, namespace, "huge", "never fits", 20)
    for node in ("node-0", "node-1"):
        cluster.kube.patch(NODE, "", node, {"spec": {"unschedulable": True}})
    says(cluster, namespace, "blocked", "cordoned", 10)
    for node in ("node-0", "node-1"):
        cluster.kube.patch(NODE, "", node, {"spec": {"unschedulable": None}})
    for number in range(8):
        cluster.kube.delete(POD, namespace, f"other-{number}")
    starts(cluster, namespace, "blocked", 4, 10)
