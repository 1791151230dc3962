"""Jobs through pods: what the second seed describes, on a live API server."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local.client.blocking import until
from shared.kinds import JOB, POD, PODGROUP, QUEUE
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, job_phase

EXAMPLE = Path("examples/seed/distributed-training.yaml")
FINAL = ("Completed", "Failed", "Aborted", "Terminated")


def a_task(name: str = "w", replicas: int = 1, seconds: float = 1, code: int = 0, **said: Any) -> Body:
    command = ["sh", "-c", f"sleep {seconds:g}; exit {code}"]
    container = {"name": "main", "image": "busybox", "command": command} | said.pop("container", {})
    annotations = {f"jobflow.dev/{key}": value for key, value in said.pop("annotations", {}).items()}
    pod = {"metadata": {"annotations": annotations}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"name": name, "replicas": replicas, "template": pod} | said


def a_job(scenario: Scenario, *tasks: Body, name: str = "j", **spec: Any) -> Body:
    body = {
        "apiVersion": JOB.api_version,
        "kind": "Job",
        "metadata": {"name": name, "namespace": scenario.namespace},
        "spec": {"tasks": list(tasks)} | spec,
    }
    return scenario.kube.create(JOB, body)


def ends(scenario: Scenario, name: str = "j", seconds: float = 60) -> Body:
    return scenario.cluster.wait_for(JOB, scenario.namespace, name, lambda job: job_phase(job) in FINAL, seconds)


def reaches(scenario: Scenario, phase: str, name: str = "j") -> Body:
    return scenario.cluster.wait_for(JOB, scenario.namespace, name, lambda job: job_phase(job) == phase)


def test_a_job_runs_its_pods_and_completes(scenario: Scenario) -> None:
    a_job(scenario, a_task("ps"), a_task("worker", replicas=3))
    job = ends(scenario)
    assert job_phase(job) == "Completed"
    assert job["status"]["succeeded"] == 4
    names = {pod["metadata"]["name"] for pod in scenario.pods()}
    assert names == {"j-ps-0", "j-worker-0", "j-worker-1", "j-worker-2"}


def test_a_job_with_a_failing_pod_fails(scenario: Scenario) -> None:
    a_job(scenario, a_task(code=1), policies=[{"event": "PodFailed", "action": "AbortJob"}])
    assert job_phase(ends(scenario)) == "Aborted"
    a_job(scenario, a_task(code=1), name="plain")
    assert job_phase(ends(scenario, "plain")) == "Failed"


def test_a_failed_pod_restarts_the_job_until_it_succeeds(scenario: Scenario) -> None:
    a_job(
        scenario,
        a_task(replicas=2, annotations={"fail-first": "1"}),
        policies=[{"event": "PodFailed", "action": "RestartJob"}],
    )
    job = ends(scenario)
    assert job_phase(job) == "Completed"
    assert job["status"]["retryCount"] >= 1


def test_restarts_end_with_max_retry(scenario: Scenario) -> None:
    a_job(scenario, a_task(code=1), policies=[{"event": "PodFailed", "action": "RestartJob"}], maxRetry=2)
    job = ends(scenario)
    assert (job_phase(job), job["status"]["retryCount"]) == ("Failed", 2)


def test_a_completed_task_may_complete_the_whole_job(scenario: Scenario) -> None:
    master = a_task("master", policies=[{"event": "TaskCompleted", "action": "CompleteJob"}])
    a_job(scenario, master, a_task("worker", replicas=2, seconds=600))
    assert job_phase(ends(scenario)) == "Completed"
    running = until(lambda: not _running(scenario), 30, lambda: f"still running: {_running(scenario)}")
    assert running


def test_tasks_wait_for_tasks_they_depend_on(scenario: Scenario) -> None:
    after = a_task("after", dependsOn={"name": ["before"]})
    a_job(scenario, a_task("before", seconds=20), after)
    reaches(scenario, "Running")
    assert scenario.kube.find(POD, scenario.namespace, "j-after-0") is None
    assert job_phase(ends(scenario)) == "Completed"
    assert scenario.kube.find(POD, scenario.namespace, "j-after-0") is not None


def test_enough_successes_complete_the_job(scenario: Scenario) -> None:
    quick = a_task("w", replicas=3, annotations={"behave": '[{"pod": "-2$", "runSeconds": 600}, {"runSeconds": 1}]'})
    a_job(scenario, quick, minSuccess=2, minAvailable=1)
    job = ends(scenario)
    assert (job_phase(job), job["status"]["succeeded"]) == ("Completed", 2)


def test_the_env_and_svc_plugins_reach_the_process(scenario: Scenario) -> None:
    script = 'echo "$VC_TASK_INDEX $VC_WORKER_NUM"; cat "$JOBFLOW_ROOT/etc/volcano/worker.host"'
    worker = a_task("worker", 2, container={"command": ["sh", "-c", script]}, annotations={"run-command": "true"})
    a_job(scenario, worker, plugins={"env": [], "svc": []})
    assert job_phase(ends(scenario)) == "Completed"
    log = scenario.kube.request("GET", f"/api/v1/namespaces/{scenario.namespace}/pods/j-worker-1/log")
    assert log.split() == ["1", "2", "j-worker-0.j", "j-worker-1.j"]


def test_an_ended_job_is_deleted_after_its_ttl(scenario: Scenario) -> None:
    a_job(scenario, a_task(), ttlSecondsAfterFinished=1)
    scenario.kube.wait_gone(JOB, scenario.namespace, "j")
    until(lambda: not scenario.pods(), 30, lambda: "pods are left")


def test_a_running_job_is_deleted_completely(scenario: Scenario) -> None:
    a_job(scenario, a_task(replicas=3, seconds=600))
    reaches(scenario, "Running")
    scenario.kube.delete(JOB, scenario.namespace, "j")
    scenario.nothing_left()
    until(lambda: not scenario.kube.list(PODGROUP, scenario.namespace), 30, lambda: "a PodGroup is left")


def test_a_command_aborts_and_resumes_a_job(scenario: Scenario) -> None:
    job = a_job(scenario, a_task(seconds=600))
    reaches(scenario, "Running")
    for name, action, phase in (("stop", "AbortJob", "Aborted"), ("go", "ResumeJob", "Running")):
        _command(scenario, job, name, action)
        reaches(scenario, phase)


def test_two_gangs_on_room_for_one_run_one_after_the_other(scenario: Scenario) -> None:
    big = {"resources": {"requests": {"cpu": "30"}}}
    for name in ("first", "second"):
        a_job(scenario, a_task(replicas=6, seconds=60, container=big), name=name, minAvailable=6)
    until(lambda: len(_running(scenario)) == 6, 60, lambda: f"running: {_running(scenario)}")
    owners = {name.split("-")[0] for name in _running(scenario)}
    assert len(owners) == 1
    waiting = ({"first", "second"} - owners).pop()
    bound = [pod for pod in scenario.pods() if pod["metadata"]["name"].startswith(waiting) and _node(pod)]
    assert bound == []
    assert [job_phase(ends(scenario, name)) for name in ("first", "second")] == ["Completed", "Completed"]


def test_the_training_job_of_the_documents(scenario: Scenario) -> None:
    """The reader creates its priority class and its queue; it then runs as the seed describes."""
    job = yaml.safe_load(EXAMPLE.read_text())
    job["metadata"]["namespace"] = scenario.namespace
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}}
    queue = {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": job["spec"]["queue"]}}
    scenario.cluster.apply(priority | {"value": 1000}, queue | {"spec": {"weight": 1}})
    scenario.kube.create(JOB, job)
    assert job_phase(ends(scenario, "distributed-training")) == "Completed"


@pytest.fixture(autouse=True)
def _service_account(scenario: Scenario) -> None:
    """On a real control plane pods are refused until the namespace has one; Jobs wait for it, but these tests create
    pods at once."""
    scenario.cluster.await_service_account(scenario.namespace)


def _command(scenario: Scenario, job: Body, name: str, action: str) -> None:
    target = {"apiVersion": JOB.api_version, "kind": "Job", "name": job["metadata"]["name"]}
    command = {
        "apiVersion": "bus.volcano.sh/v1alpha1",
        "kind": "Command",
        "metadata": {"name": name, "namespace": scenario.namespace},
        "action": action,
        "target": target | {"uid": job["metadata"]["uid"], "controller": True},
    }
    scenario.cluster.apply(command)


def _running(scenario: Scenario) -> list[str]:
    return [pod["metadata"]["name"] for pod in scenario.pods() if pod["status"].get("phase") == "Running"]


def _node(pod: Body) -> str:
    return str(pod["spec"].get("nodeName", ""))
