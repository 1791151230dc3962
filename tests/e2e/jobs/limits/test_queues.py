"""The capability of a queue holds at every moment, and a closed queue starts nothing."""

import os
from collections import Counter
from typing import Final

import pytest

from local.client.blocking import until
from local.cluster import LocalCluster
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, POD, QUEUE
from shared.model.types import Body
from tests.e2e.jobs.limits.workloads import command, delete_jobs, free_pods, job, message, running, says, starts
from tests.e2e.support.pod_recorder import Check, PodRecorder, PodStates

BURSTS: Final = int(os.environ.get("BURSTS", "12"))


def at_most(limit: int) -> Check:
    def check(pods: PodStates) -> str:
        free = sorted(name for name, pod in pods.items() if pod.free)
        return f"{free} run in a queue for {limit}" if len(free) > limit else ""

    return check


def without_requests(job: Body) -> Body:
    [container] = job["spec"]["tasks"][0]["template"]["spec"]["containers"]
    del container["resources"]
    return job


def two_run_of(cluster: LocalCluster, namespace: str, pods: int) -> None:
    """Wait until so many pods exist and two of them have no gate."""
    until(
        lambda: sum(free_pods(cluster, namespace).values()) == 2 and len(cluster.kube.list(POD, namespace)) == pods,
        30,
        lambda: f"{free_pods(cluster, namespace)} run",
    )


def test_a_burst_of_jobs_never_exceeds_the_capability_of_its_queue(
    cluster: LocalCluster, namespace: str, small_queue: str
) -> None:
    for number in range(BURSTS):
        with PodRecorder(cluster.kube, namespace, at_most(2)) as recorder:
            cluster.apply(*(job(namespace, f"burst-{number}-{each}", queue=small_queue) for each in range(3)))
            two_run_of(cluster, namespace, 3)
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
            two_run_of(cluster, namespace, 3)
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
        two_run_of(cluster, namespace, 6)
    assert recorder.fault == ""


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
    says(cluster, namespace, "waits", f"is {state.lower()}", 30)
    assert message(cluster, namespace, "waits").startswith("Pending/QueueClosed")
    assert len(cluster.kube.list(POD, namespace)) == len(others)
    command(cluster, QUEUE, "", small_queue, "OpenQueue")
    starts(cluster, namespace, "waits", 1, 30)


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
