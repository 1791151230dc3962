"""What Volcano accepts is accepted, and what is refused or waits says the cause."""

from collections.abc import Iterator

import pytest

from local.client.rest import RestError
from shared.kinds import JOB, NODE, QUEUE
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario


def job(scenario: Scenario, name: str, task: str = "w", **spec: object) -> Body:
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", "sleep 4000"]}
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    tasks = [{"name": task, "replicas": 1, "template": {"spec": pod}}]
    meta = {"name": name, "namespace": scenario.namespace}
    return {"apiVersion": JOB.api_version, "kind": "Job", "metadata": meta, "spec": {"tasks": tasks, **spec}}


def warnings(scenario: Scenario, body: Body) -> list[str]:
    place = f"/apis/{JOB.api_version}/namespaces/{scenario.namespace}/jobs"
    return list(scenario.kube.request_with_warnings("POST", place, body)[1])


def refused(scenario: Scenario, body: Body) -> str:
    """The reason for which the API server refuses the object."""
    with pytest.raises(RestError) as error:
        scenario.cluster.apply(body)
    return error.value.message


ALONE: dict[str, tuple[str, str, str]] = {
    "mpi": ("launcher", "--master=launcher", 'no task "worker" (--worker)'),
    "pytorch": ("worker", "--worker=worker", 'no task "master" (--master)'),
    "ray": ("worker", "--worker=worker", 'no task "head" (--head)'),
}
"""The only task of the Job, the plugin's argument, and the warning."""


@pytest.mark.parametrize("plugin", ALONE)
def test_a_job_without_the_other_task_of_its_plugin_is_accepted_with_a_warning_and_runs(
    scenario: Scenario, plugin: str
) -> None:
    task, argument, wanted = ALONE[plugin]
    found = warnings(scenario, job(scenario, plugin, task, plugins={plugin: [argument]}))
    assert any(f"spec.plugins.{plugin}: {wanted}" in each for each in found), found
    scenario.cluster.wait_for(JOB, scenario.namespace, plugin, lambda body: state(body).get("phase") == "Running")


def state(body: Body) -> Body:
    found: Body = (body.get("status") or {}).get("state") or {}
    return found


@pytest.fixture
def queues(scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    """Three queues, each the parent of the next, of which only the lowest has a capability."""
    top, middle, low = names = tuple(f"{scenario.namespace}-{each}" for each in ("top", "middle", "low"))
    for name, above, capability in ((top, "root", {}), (middle, top, {}), (low, middle, {"cpu": "8"})):
        spec = {"parent": above, "capability": capability}
        scenario.cluster.apply(
            {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": name}, "spec": spec}
        )
    yield top, middle, low
    for name in reversed(names):
        scenario.kube.delete(QUEUE, "", name)
        scenario.kube.wait_gone(QUEUE, "", name)


def test_a_capability_below_that_of_a_grandchild_is_refused(scenario: Scenario, queues: tuple[str, str, str]) -> None:
    top, _, low = queues
    body = {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": top}}
    refusal = refused(scenario, {**body, "spec": {"parent": "root", "capability": {"cpu": "4"}}})
    assert f"(8, queue {low})" in refusal


def test_a_job_that_waits_for_cordoned_nodes_says_so_and_starts_when_they_are_back(scenario: Scenario) -> None:
    nodes = [node["metadata"]["name"] for node in scenario.kube.list(NODE)]
    try:
        for name in nodes:
            scenario.kube.patch(NODE, "", name, {"spec": {"unschedulable": True}})
        scenario.cluster.apply(job(scenario, "waits"))
        waits = scenario.cluster.wait_for(
            JOB, scenario.namespace, "waits", lambda body: "cordoned" in state(body).get("message", "")
        )
        assert "never fits" not in state(waits)["message"]
    finally:
        for name in nodes:
            scenario.kube.patch(NODE, "", name, {"spec": {"unschedulable": None}})
    scenario.cluster.wait_for(JOB, scenario.namespace, "waits", lambda body: state(body).get("phase") == "Running")


def test_a_forbidden_edit_names_the_field_that_changed(scenario: Scenario) -> None:
    body = job(scenario, "edited")
    scenario.cluster.apply(body)
    body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["image"] = "other"
    assert "spec.tasks[0].template.spec.containers[0].image" in refused(scenario, body)
