"""Jobs without flows: every way to run, restart, stop and end, with pods on simulated nodes."""

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from local.client.blocking import until
from shared.kinds import COMMAND, CONFIGMAP, JOB, POD, PODGROUP, PVC, RESOURCEQUOTA, SECRET, SERVICE, Kind
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario

LONG = 4000.0  # seconds of the nodes' clock: nobody waits for it


def task(name: str, replicas: int = 1, seconds: float = 1, code: int = 0, **fields: Any) -> Body:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", f"sleep {seconds:g}; exit {code}"]}
    spec = {"restartPolicy": "Never", "containers": [container]}
    return {"name": name, "replicas": replicas, "template": {"spec": spec}, **fields}


class Jobs:
    """Helpers for one Job `j`."""

    def __init__(self, scenario: Scenario) -> None:
        self.kube, self.namespace = scenario.kube, scenario.namespace
        self.cluster = scenario.cluster

    def apply(self, *tasks: Body, **spec: Any) -> "Jobs":
        metadata = {"name": "j", "namespace": self.namespace}
        self.kube.apply(
            JOB,
            {
                "apiVersion": JOB.api_version,
                "kind": "Job",
                "metadata": metadata,
                "spec": {"tasks": list(tasks), **spec},
            },
        )
        return self

    def order(self, action: str) -> "Jobs":
        uid = self.kube.get(JOB, self.namespace, "j")["metadata"]["uid"]
        name = f"j-{action.lower()}-{time.monotonic_ns()}"
        target = {"apiVersion": JOB.api_version, "kind": "Job", "name": "j", "uid": uid}
        metadata = {"name": name, "namespace": self.namespace}
        self.kube.create(
            COMMAND,
            {
                "apiVersion": COMMAND.api_version,
                "kind": "Command",
                "metadata": metadata,
                "action": action,
                "target": target,
            },
        )
        return self

    def status(self) -> Body:
        status: Body = self.kube.get(JOB, self.namespace, "j").get("status") or {}
        return status

    def pods(self) -> dict[str, str]:
        return {pod["metadata"]["name"]: pod["status"]["phase"] for pod in self.kube.list(POD, self.namespace)}

    def none_left(self, kind: Kind) -> bool:
        return not self.kube.list(kind, self.namespace)

    def until(self, holds: Callable[[Body], object], seconds: float = 60) -> Body:
        return until(
            lambda: status if holds(status := self.status()) else None,
            seconds,
            lambda: f"job is {self.status()}, pods are {self.pods()}",
        )

    def becomes(self, *phases: str, seconds: float = 60) -> Body:
        return self.until(lambda status: (status.get("state") or {}).get("phase") in phases, seconds)


def running(pods: int) -> Callable[[Body], object]:
    return lambda status: status.get("running") == pods and not status.get("terminating")


@pytest.fixture
def jobs(scenario: Scenario) -> Jobs:
    return Jobs(scenario)


def test_a_job_runs_to_its_end_and_keeps_its_counts(jobs: Jobs) -> None:
    jobs.apply(task("ps"), task("worker", 3), plugins={"svc": [], "ssh": [], "env": []})
    jobs.becomes("Completed")
    status = jobs.until(lambda status: not status.get("terminating"))
    assert status["succeeded"] == 4
    assert status["taskStatusCount"] == {"ps": {"phase": {"Succeeded": 1}}, "worker": {"phase": {"Succeeded": 3}}}
    until(lambda: not jobs.kube.list(PODGROUP, jobs.namespace), 20, lambda: "the PodGroup is still there")
    for kind in (SERVICE, SECRET):
        assert [each["metadata"]["name"] for each in jobs.kube.list(kind, jobs.namespace)] == []
    for pod in jobs.pods():
        jobs.kube.delete(POD, jobs.namespace, pod)
    time.sleep(0.5)
    assert (jobs.status(), jobs.pods()) == (status, {})


def test_a_job_that_always_fails_is_restarted_as_often_as_it_may_be(jobs: Jobs) -> None:
    jobs.apply(task("w", 2, code=3), policies=[{"exitCode": 3, "action": "RestartJob"}], maxRetry=2)
    status = jobs.becomes("Failed")
    assert (status["retryCount"], status["state"]["reason"]) == (2, "MaxRetryExceeded")


def test_abort_and_resume(jobs: Jobs) -> None:
    jobs.apply(task("short"), task("long", 2, seconds=LONG), plugins={"svc": []})
    jobs.until(lambda status: status.get("succeeded") == 1 and status.get("running") == 2)
    jobs.order("AbortJob").becomes("Aborted")
    assert jobs.pods() == {"j-short-0": "Succeeded"}
    assert jobs.kube.find(CONFIGMAP, jobs.namespace, "j-svc") is not None
    jobs.order("ResumeJob").until(lambda status: status.get("running") == 2)
    assert sorted(jobs.pods()) == ["j-long-0", "j-long-1", "j-short-0"]
    jobs.order("TerminateJob").becomes("Terminated")
    until(lambda: not jobs.kube.list(COMMAND, jobs.namespace), 20, lambda: "a Command is left")


def test_tasks_wait_for_tasks(jobs: Jobs) -> None:
    jobs.apply(task("a"), task("b", 2, dependsOn={"name": ["a"]}), task("c", dependsOn={"name": ["b"]}))
    jobs.becomes("Completed")
    born = {pod["metadata"]["name"]: pod for pod in jobs.kube.list(POD, jobs.namespace)}
    ended = born["j-a-0"]["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
    assert ended <= born["j-b-0"]["metadata"]["creationTimestamp"]


def test_a_failed_task_stops_those_that_wait_for_it(jobs: Jobs) -> None:
    jobs.apply(task("a", code=1), task("b", dependsOn={"name": ["a"]}))
    assert jobs.becomes("Failed")["state"]["reason"] == "DependencyFailed"
    assert sorted(jobs.pods()) == ["j-a-0"]


def test_a_deleted_pod_is_replaced_and_a_scaled_job_follows(jobs: Jobs) -> None:
    jobs.apply(task("w", 2, seconds=LONG, minAvailable=1), minAvailable=1)
    jobs.until(lambda status: status.get("running") == 2)
    uid = jobs.kube.get(POD, jobs.namespace, "j-w-0")["metadata"]["uid"]
    jobs.kube.delete(POD, jobs.namespace, "j-w-0")
    until(
        lambda: (jobs.kube.find(POD, jobs.namespace, "j-w-0") or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid,
        30, lambda: f"not replaced: {jobs.pods()}",
    )  # fmt: skip
    for replicas in (4, 1):
        spec = jobs.kube.get(JOB, jobs.namespace, "j")["spec"]
        jobs.kube.patch(JOB, jobs.namespace, "j", {"spec": {"tasks": [{**spec["tasks"][0], "replicas": replicas}]}})
        jobs.until(running(replicas))
    assert sorted(jobs.pods()) == ["j-w-0"]
    assert "retryCount" not in jobs.status()


def test_pods_that_cannot_be_placed_in_time_abort_the_job(jobs: Jobs) -> None:
    stuck = task("w")
    stuck["template"]["spec"]["nodeSelector"] = {"nowhere": "found"}
    jobs.apply(stuck, policies=[{"event": "PodPending", "action": "AbortJob", "timeout": "1s"}])
    assert jobs.becomes("Aborted")["state"]["reason"] == "PodPending"


def test_a_job_that_a_quota_refuses_has_no_pods_and_runs_once_the_quota_is_gone(jobs: Jobs) -> None:
    metadata = {"name": "few", "namespace": jobs.namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "1"}}}
    jobs.kube.apply(RESOURCEQUOTA, quota)
    until(
        lambda: (jobs.kube.get(RESOURCEQUOTA, jobs.namespace, "few").get("status") or {}).get("hard"),
        20,
        lambda: "the quota is not counted",
    )
    jobs.apply(task("w", 3, seconds=LONG))
    state = jobs.until(lambda status: (status.get("state") or {}).get("reason") == "FailedCreate")["state"]
    assert "exceeded quota" in state["message"]
    assert "never fits" in state["message"]
    until(lambda: not jobs.kube.list(POD, jobs.namespace), 20, lambda: "pods of an incomplete gang stay")
    jobs.kube.delete(RESOURCEQUOTA, jobs.namespace, "few")
    jobs.until(lambda status: status.get("running") == 3)


@pytest.mark.parametrize("deaths", [8, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_a_killed_controller_counts_nothing_twice(jobs: Jobs, deaths: int) -> None:
    """Pods fail, restart and complete meanwhile; timers run; a Command comes in."""
    chance = random.Random(5)
    created: set[str] = set()
    jobs.apply(
        task("flaky", 2, seconds=2 * deaths, code=3, policies=[{"event": "PodFailed", "action": "RestartPod"}], maxRetry=6, minAvailable=0),
        task("steady", 3, seconds=16 * deaths),
        task("last", 2, seconds=3 * deaths, dependsOn={"name": ["steady"]}),
        policies=[{"event": "PodEvicted", "action": "RestartJob"}],
        minAvailable=5,
    )  # fmt: skip
    for number in range(deaths):
        time.sleep(chance.uniform(0.0, 0.25))
        jobs.cluster.kill_controller()
        jobs.cluster.restart_controller()
        created.update(pod["metadata"]["uid"] for pod in jobs.kube.list(POD, jobs.namespace))
        if number == deaths // 5:
            jobs.order("RestartJob")
    status = jobs.becomes("Completed", seconds=600)
    assert status["retryCount"] == 1
    flaky = next(record for record in status["tasks"] if record["name"] == "flaky")
    assert flaky.get("retries", 0) <= 6
    assert len(created) <= 2 * (2 + 6 + 3 + 2)  # all of it once more by the Command
    assert status["taskStatusCount"]["steady"] == {"phase": {"Succeeded": 3}}
    assert jobs.kube.list(COMMAND, jobs.namespace) == []


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_a_deleted_job_is_removed_completely_and_its_name_can_be_used_at_once(jobs: Jobs, propagation: str) -> None:
    volumes = [
        {
            "mountPath": "/d",
            "volumeClaim": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    ]
    jobs.apply(task("w", 2, seconds=LONG), plugins={"svc": [], "ssh": []}, volumes=volumes)
    jobs.until(running(2))
    first = {pod["metadata"]["uid"] for pod in jobs.kube.list(POD, jobs.namespace)}
    jobs.kube.delete(JOB, jobs.namespace, "j", propagation)
    jobs.kube.wait_gone(JOB, jobs.namespace, "j")
    jobs.apply(task("w", 2), plugins={"svc": []})
    jobs.becomes("Completed")
    assert not first & {pod["metadata"]["uid"] for pod in jobs.kube.list(POD, jobs.namespace)}
    jobs.kube.delete(JOB, jobs.namespace, "j", propagation)
    for kind in (POD, PODGROUP, SERVICE, SECRET, PVC):
        until(partial(jobs.none_left, kind), 30, kind.plural.__str__)


def test_a_policy_of_the_job_restarts_the_task_whose_pod_failed(jobs: Jobs) -> None:
    """RestartTask at Job level, as public training manifests have it."""
    jobs.apply(
        task("master", 1, seconds=1, code=3),
        task("worker", 2, seconds=LONG),
        minAvailable=3,
        policies=[{"events": ["PodEvicted", "PodFailed"], "action": "RestartTask"}],
        maxRetry=1,
    )
    status = jobs.until(lambda status: any(each.get("retries") for each in status.get("tasks") or ()))
    assert {each["name"] for each in status["tasks"] if each.get("retries")} == {"master"}
    status = jobs.becomes("Failed")
    assert status["state"]["reason"] == "MaxRetryExceeded"
    assert "maxRetry of the task" in status["state"]["message"]


def test_pods_that_an_action_ends_are_not_counted_as_failed(jobs: Jobs) -> None:
    jobs.apply(
        task("a", 1, seconds=2, code=42),
        task("b", 4, seconds=LONG),
        policies=[{"exitCode": 42, "action": "AbortJob"}],
    )
    status = jobs.becomes("Aborted")
    assert (status["failed"], status["taskStatusCount"]) == (1, {"a": {"phase": {"Failed": 1}}})


def test_a_task_without_max_retry_is_restarted_as_often_as_the_job_says(jobs: Jobs) -> None:
    jobs.apply(task("w", 1, seconds=1, code=3), policies=[{"event": "PodFailed", "action": "RestartPod"}], maxRetry=5)
    status = jobs.becomes("Failed")
    assert [each["retries"] for each in status["tasks"]] == [5]


def test_a_suspended_job_gets_its_placement_and_starts(jobs: Jobs) -> None:
    """What Kueue does: the Job waits without PodGroup and pods, is given a node selector and resumed in one update."""
    jobs.apply(task("w", 2, seconds=1), suspend=True)
    assert jobs.becomes("Aborted")["state"]["reason"] == "Suspended"
    assert jobs.none_left(POD)
    assert jobs.none_left(PODGROUP)
    change = [
        {"op": "replace", "path": "/spec/suspend", "value": False},
        {"op": "add", "path": "/spec/tasks/0/template/spec/nodeSelector", "value": {"kubernetes.io/os": "linux"}},
    ]
    jobs.kube.patch(JOB, jobs.namespace, "j", change)
    jobs.becomes("Completed")


def test_a_job_that_runs_too_long_fails_at_its_deadline(jobs: Jobs) -> None:
    jobs.apply(task("w", 2, seconds=LONG), activeDeadlineSeconds=2)
    status = jobs.becomes("Failed")
    assert status["state"]["reason"] == "DeadlineExceeded"
    until(lambda: jobs.none_left(POD), 60, lambda: f"pods are {jobs.pods()}")


def test_a_job_of_another_controller_is_left_alone(jobs: Jobs) -> None:
    jobs.apply(task("w"), managedBy="kueue.x-k8s.io/multikueue")
    time.sleep(2)
    assert jobs.status() == {}
    assert jobs.none_left(POD)


def test_a_policy_by_exit_codes_acts_on_these_codes_only(jobs: Jobs) -> None:
    policies = [
        {"action": "CompleteJob", "exitCodes": {"operator": "In", "values": [42, "50-60"]}},
        {"action": "RestartPod", "exitCodes": {"operator": "NotIn", "values": [42, "50-60"]}},
    ]
    jobs.apply(task("w", seconds=1, code=3), policies=policies, maxRetry=2)
    assert jobs.becomes("Failed")["tasks"][0]["retries"] == 2
    jobs.kube.delete(JOB, jobs.namespace, "j")
    jobs.kube.wait_gone(JOB, jobs.namespace, "j")
    jobs.apply(task("w", seconds=1, code=55), policies=policies)
    jobs.becomes("Completed")
