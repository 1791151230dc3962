"""Why a Job's pods do not run reaches its status and one event, with the words of kubelet and scheduler."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from local.client.blocking import until
from local.client.rest import RestError
from shared.kinds import EVENT, JOB, NODE, POD
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario


def job(namespace: str, command: str = "sleep 4000", image: str = "busybox", **spec: Any) -> Body:
    container = {"name": "main", "image": image, "command": ["sh", "-c", command]}
    pod = {"restartPolicy": "Never", "containers": [container], **spec}
    task = {"name": "w", "replicas": 1, "template": {"spec": pod}}
    return {
        "apiVersion": JOB.api_version,
        "kind": "Job",
        "metadata": {"name": "j", "namespace": namespace},
        "spec": {"tasks": [task]},
    }


def state(scenario: Scenario) -> Body:
    found: Body = (scenario.kube.get(JOB, scenario.namespace, "j").get("status") or {}).get("state") or {}
    return found


CASES: dict[str, tuple[Callable[[str], Body], str]] = {
    "an image that cannot be pulled": (lambda ns: job(ns, image="fail/nowhere"), "container main"),
    "a crash loop": (lambda ns: job(ns, "exit 7", restartPolicy="OnFailure"), "last exit code 7"),
    "a claim that does not exist": (
        lambda ns: job(ns, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "nope"}}]),
        'persistentvolumeclaim "nope" not found',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_problem_of_a_pod_reaches_status_and_event(scenario: Scenario, case: str) -> None:
    made, words = CASES[case]
    scenario.kube.create(JOB, made(scenario.namespace))
    until(lambda: words in state(scenario).get("message", ""), 60, lambda: f"state is {state(scenario)}")

    def reported() -> list[Body]:
        return [each for each in scenario.kube.list(EVENT, scenario.namespace) if each["reason"] == "PodProblem"]

    until(reported, 30, lambda: "no event")
    assert [each["involvedObject"]["name"] for each in reported()] == ["j"]


def test_a_node_selector_that_matches_no_node_is_reported(scenario: Scenario) -> None:
    scenario.kube.create(JOB, job(scenario.namespace, nodeSelector={"disk": "none"}))
    until(
        lambda: state(scenario).get("reason") == "WaitingForPodGroup" and "never" in state(scenario)["message"],
        60,
        lambda: f"state is {state(scenario)}",
    )


def test_a_failed_job_reports_how_its_pod_failed(scenario: Scenario) -> None:
    scenario.kube.create(JOB, job(scenario.namespace, "exit 3"))
    until(lambda: state(scenario).get("phase") == "Failed", 60, lambda: f"state is {state(scenario)}")
    assert "container main: exit code 3" in state(scenario)["message"]


def test_the_missing_node_of_a_pod_is_reported_at_once_and_nothing_runs_twice(scenario: Scenario) -> None:
    name = f"{scenario.namespace}-gone"
    amounts = {"cpu": "1", "memory": "1Gi", "pods": "10"}
    ready = [{"type": "Ready", "status": "True"}]
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"only": name}}}
    scenario.kube.create(NODE, body)
    status = {"capacity": amounts, "allocatable": amounts, "conditions": ready}
    scenario.kube.patch(NODE, "", name, {"status": status}, "status")
    scenario.kube.create(
        JOB, job(scenario.namespace, nodeSelector={"only": name}, tolerations=[{"operator": "Exists"}])
    )
    bound_to(scenario, name)
    scenario.kube.patch(POD, scenario.namespace, "j-w-0", {"status": {"phase": "Running"}}, "status")
    until(lambda: state(scenario).get("phase") == "Running", 30, lambda: f"state is {state(scenario)}")
    before = scenario.kube.get(POD, scenario.namespace, "j-w-0")["metadata"]["uid"]
    scenario.kube.delete(NODE, "", name)
    words = f"node {name} no longer exists"
    until(lambda: words in state(scenario).get("message", ""), 30, lambda: f"state is {state(scenario)}")
    assert scenario.kube.get(POD, scenario.namespace, "j-w-0")["metadata"]["uid"] == before
    scenario.reports_once("PodProblem")


def bound_to(scenario: Scenario, node: str) -> None:
    """The pod of Job j is bound to the node, which the stand-in's scheduler does not know."""
    scenario.kube.wait(POD, scenario.namespace, "j-w-0", lambda pod: not pod["spec"].get("schedulingGates"))
    target = {"apiVersion": "v1", "kind": "Node", "name": node}
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "j-w-0"}, "target": target}
    with contextlib.suppress(RestError):  # kube-scheduler may have bound it
        scenario.kube.request("POST", f"/api/v1/namespaces/{scenario.namespace}/pods/j-w-0/binding", body)
    scenario.kube.wait(POD, scenario.namespace, "j-w-0", lambda pod: pod["spec"].get("nodeName") == node)
