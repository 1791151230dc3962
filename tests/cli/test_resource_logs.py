"""`jobflow logs`, and logs in Python, of a step that creates an object of another kind than Job, on a local cluster."""

from collections.abc import Iterator

import pytest

from jobflow import Cluster, find_run
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import JOBFLOW, POD, Kind
from shared.model.types import Body
from tests.cli.make import CliCommand
from tests.e2e.support.scenario import jobflow, step_of

pytestmark = [pytest.mark.e2e]
NAMESPACE = "people"
BATCH_JOB = Kind("batch/v1", "Job", "jobs")
CONTAINER = {"name": "main", "image": "busybox", "command": ["sleep", "1000"]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    options = ClusterOptions(nodes=1, speed=20.0, controller_args=("--no-leader-elect",))
    with LocalCluster(options=options) as running, running.namespace(NAMESPACE):
        yield running


def pod(owner: Body) -> Body:
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": owner["metadata"]["name"], "controller": True}
    reference["uid"] = owner["metadata"]["uid"]
    metadata = {"name": "f-a-x7k2p", "namespace": NAMESPACE, "ownerReferences": [reference]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [CONTAINER]}}


def test_logs_are_those_of_the_pods_that_the_object_owns(
    cluster: LocalCluster, command: CliCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "spec": spec}
    cluster.apply(jobflow(NAMESPACE, "f", {"a": {"resource": {"manifest": manifest}}}))
    made = cluster.wait_for(BATCH_JOB, NAMESPACE, "f-a", lambda body: True)
    cluster.wait_for(JOBFLOW, NAMESPACE, "f", lambda flow: bool(step_of(flow, "a").get("jobs")), 60)
    none = command("logs", "f/a", "-n", NAMESPACE)
    assert (none.code, none.out) == (3, "")
    assert "Job f-a has no pods" in none.err
    assert "nothing that it owns has created any" in none.err
    cluster.kube.create(POD, pod(made))
    cluster.wait_for(POD, NAMESPACE, "f-a-x7k2p", lambda body: phase_of(body) == "Running", 60)
    cluster.kube.request("PUT", f"/testing/logs/{NAMESPACE}/f-a-x7k2p/main", {"line": 1})
    for more in ((), ("--job", "f-a")):
        ran = command("logs", "f/a", "-n", NAMESPACE, *more)
        assert (ran.code, ran.out.strip()) == (0, '{"line":1}')
    tasks = command("logs", "f/a", "-n", NAMESPACE, "--task", "w")
    assert (tasks.code, "Job f-a has no tasks" in tasks.err) == (2, True)
    run = find_run("f", Cluster(kubeconfig=str(cluster.kubeconfig), namespace=NAMESPACE))
    assert run.logs("a").strip() == '{"line":1}'
    with pytest.raises(ValueError, match="Job f-a has no tasks"):
        run.logs("a", task="w")
    cluster.kube.delete(JOBFLOW, NAMESPACE, "f")


def phase_of(body: Body) -> str:
    return str((body.get("status") or {}).get("phase") or "")
