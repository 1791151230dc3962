"""Why a Job's pods do not run reaches its status and one event, with the words of kubelet and scheduler."""

from collections.abc import Callable
from typing import Any

import pytest

from local.client.blocking import until
from shared.kinds import EVENT, JOB
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
