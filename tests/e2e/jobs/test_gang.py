"""Gangs start whole or not at all; queues close and drain."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from local.backends import chosen
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import COMMAND, JOB, NAMESPACE, POD, PODGROUP, QUEUE
from shared.model.types import Body
from tests.e2e.jobs.conftest import BindingBackend

EXAMPLES = Path("examples/gang")
_NUMBERS: Final = itertools.count()


@pytest.fixture(scope="module")
def small(binding: BindingBackend) -> Iterator[LocalCluster]:
    """Three nodes of five CPUs: room for fifteen."""
    backend, arguments = binding
    options = ClusterOptions(nodes=3, cpu="5", memory="32Gi", speed=8.0, nodes_args=arguments)
    with LocalCluster(backend, options) as running:
        yield running


@pytest.fixture
def namespace(small: LocalCluster) -> Iterator[str]:
    """One for each try, whose pods are gone afterwards."""
    name = f"gang-{next(_NUMBERS)}"
    small.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    for each in small.kube.list(JOB, name):
        small.kube.delete(JOB, name, each["metadata"]["name"])
    until(lambda: not small.kube.list(POD, name), 60, lambda: "its pods stay")
    small.kube.delete(NAMESPACE, "", name)


def example(name: str, namespace: str) -> list[Body]:
    documents = list(yaml.safe_load_all((EXAMPLES / name).read_text()))
    return [{**each, "metadata": {**each["metadata"], "namespace": namespace}} for each in documents]


def phase(cluster: LocalCluster, namespace: str, job: str) -> str:
    status = (cluster.kube.find(JOB, namespace, job) or {}).get("status") or {}
    return str((status.get("state") or {}).get("phase", ""))


def said(cluster: LocalCluster, namespace: str, job: str) -> str:
    status = cluster.kube.get(JOB, namespace, job).get("status") or {}
    return str((status.get("state") or {}).get("message", ""))


def pods(cluster: LocalCluster, namespace: str, job: str) -> list[Body]:
    found = cluster.kube.list(POD, namespace)
    return [pod for pod in found if pod["metadata"]["labels"].get("volcano.sh/job-name") == job]


def bound(cluster: LocalCluster, namespace: str, job: str) -> int:
    return sum(bool(pod["spec"].get("nodeName")) for pod in pods(cluster, namespace, job))


def is_finished(pod: Body) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def test_two_gangs_of_ten_run_one_after_the_other_on_room_for_fifteen(small: LocalCluster, namespace: str) -> None:
    """Judged by what one look at all pods shows, since gates are lifted and pods bound one by one."""
    jobs = example("two-gangs.yaml", namespace)
    for job in jobs:
        (container,) = job["spec"]["tasks"][0]["template"]["spec"]["containers"]
        container["command"] = ["sh", "-c", "sleep 80"]
    small.apply(*jobs)
    ran: list[str] = []
    waited = 0

    def both_are_done() -> bool:
        nonlocal waited
        seen = {job: pods(small, namespace, job) for job in ("second", "first")}
        free = {job: [pod for pod in seen[job] if not pod["spec"].get("schedulingGates")] for job in seen}
        ran.extend(job for job in seen if free[job] and job not in ran)
        if len(ran) == 2:
            assert sum(map(is_finished, seen[ran[0]])) >= 5, f"{ran[1]} starts although there is no room"
        if len(ran) == 1 and sum(bool(pod["spec"].get("nodeName")) for pod in free[ran[0]]) == 10:
            waited = max(waited, *(len(seen[job]) for job in seen if job not in ran))
        return all(len(seen[job]) == 10 and all(map(is_finished, seen[job])) for job in seen)

    until(both_are_done, 120, lambda: f"{ran}: {[phase(small, namespace, job) for job in ('first', 'second')]}")
    assert waited == 10, "nobody was seen to wait whole while the other ran whole"
    until(lambda: {phase(small, namespace, job) for job in ran} == {"Completed"}, 60, lambda: "do not complete")


def test_a_gang_that_never_fits_reports_why(small: LocalCluster, namespace: str) -> None:
    small.apply(*example("never-fits.yaml", namespace))
    job = namespace, "never-fits"
    until(lambda: said(small, *job).startswith("never fits: 10 pods"), 30, lambda: said(small, *job))
    (group,) = small.kube.list(PODGROUP, namespace)
    (condition,) = group["status"]["conditions"]
    assert (group["status"]["phase"], condition["type"], condition["status"]) == (
        "Pending",
        "Unschedulable",
        "True",
    )
    assert condition["reason"] == "NotEnoughResources"
    assert bound(small, namespace, "never-fits") == 0


def order(cluster: LocalCluster, queue: str, action: str) -> None:
    uid = cluster.kube.get(QUEUE, "", queue)["metadata"]["uid"]
    target = {"apiVersion": QUEUE.api_version, "kind": "Queue", "name": queue, "uid": uid}
    metadata = {"generateName": f"{queue}-", "namespace": "default"}
    body = {
        "apiVersion": COMMAND.api_version,
        "kind": "Command",
        "metadata": metadata,
        "action": action,
        "target": target,
    }
    cluster.kube.create(COMMAND, body)


def state(cluster: LocalCluster, queue: str) -> str:
    return str(((cluster.kube.find(QUEUE, "", queue) or {}).get("status") or {}).get("state", ""))


def _wait_until_open(cluster: LocalCluster, queue: str) -> None:
    until(lambda: state(cluster, queue) == "Open", 30, lambda: f"queue {queue} is not open")


@pytest.fixture
def team(small: LocalCluster) -> Iterator[None]:
    """Queue team, at most 4 CPUs, above night."""
    until(lambda: (state(small, "root"), state(small, "default")) == ("Open", "Open"), 30, lambda: "no queues")
    for name, spec in (("team", {"capability": {"cpu": "4"}}), ("night", {"parent": "team"})):
        small.apply({"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": name}, "spec": spec})
        _wait_until_open(small, name)
    yield
    for name in ("night", "team"):
        small.kube.delete(QUEUE, "", name)
        small.kube.wait_gone(QUEUE, "", name)


def test_a_queue_closes_when_it_is_drained_and_opens_its_children_with_it(
    small: LocalCluster, team: None, namespace: str
) -> None:
    (job, _) = example("two-gangs.yaml", namespace)
    job["spec"] |= {"queue": "night", "minAvailable": 2}
    small.apply(job)
    until(
        lambda: bound(small, namespace, "first") >= 4,
        30,
        lambda: f"{bound(small, namespace, 'first')} bound, not 4",
    )
    order(small, "team", "CloseQueue")
    until(lambda: (state(small, "team"), state(small, "night")) == ("Closing", "Closing"), 30, lambda: "not closing")
    until(lambda: phase(small, namespace, "first") == "Completed", 90, lambda: "the pods that it has continue")
    until(lambda: (state(small, "team"), state(small, "night")) == ("Closed", "Closed"), 30, lambda: "not drained")
    order(small, "team", "OpenQueue")
    until(lambda: (state(small, "team"), state(small, "night")) == ("Open", "Open"), 30, lambda: "not open")


def test_a_gang_that_is_not_bound_in_time_is_created_again_and_waits() -> None:
    """Nothing binds pods here: the admitted group is put back: its pods are gated again, and its condition says so."""
    options = ClusterOptions(
        nodes=1, webhook=False, nodes_args=["--no-scheduler"], controller_args=["--gang-bind-timeout=2s"]
    )
    with LocalCluster(chosen("embedded"), options) as cluster:
        (job, _) = example("two-gangs.yaml", "default")
        job["spec"] |= {"minAvailable": 2, "tasks": [{**job["spec"]["tasks"][0], "replicas": 2}]}
        cluster.apply(job)

        def admitted() -> set[str]:
            """The pods once both are without gates: they may be created gated and admitted a moment later."""
            now = [pod for pod in pods(cluster, "default", "first") if not pod["spec"].get("schedulingGates")]
            return {pod["metadata"]["uid"] for pod in now} if len(now) == 2 else set()

        before = until(admitted, 30, lambda: "not admitted")

        def replaced() -> bool:
            now = pods(cluster, "default", "first")
            return len(now) == 2 and all(pod["spec"].get("schedulingGates") for pod in now)

        until(replaced, 30, lambda: "not put back")
        assert before.isdisjoint(pod["metadata"]["uid"] for pod in pods(cluster, "default", "first"))
        (group,) = cluster.kube.list(PODGROUP, "default")
        assert group["metadata"]["annotations"]["jobflow.dev/gang-put-back"] == "1"
        until(lambda: phase(cluster, "default", "first") == "Pending", 30, lambda: phase(cluster, "default", "first"))
        until(lambda: "bound" in said(cluster, "default", "first"), 30, lambda: said(cluster, "default", "first"))
