"""Objects of other kinds as steps of flows in Python: the simulation predicts what happens."""

from typing import Any

import pytest

from jobflow import Cluster, Flow, Job, Resource, SimulatedFlow
from local.cluster import LocalCluster
from shared.kinds import CRD
from tests.e2e.support.resources import WIDGET, definition, report, widget
from tests.e2e.support.scenario import Scenario, phase


@pytest.fixture(scope="module", autouse=True)
def widgets(cluster: LocalCluster) -> None:
    cluster.kube.apply(CRD, definition(WIDGET))


def built(name: str, **flow: Any) -> Flow:
    given = widget()
    with Flow(name, params={"size": 2}, **flow) as made:
        step = Resource(
            "make",
            given["manifest"] | {"spec": {"size": made.params.size}},
            success=given["success"],
            failure=given["failure"],
            message=given["message"],
            outputs={"uri": "object.status.uri"},
        )
        use = Job("use", image="busybox", command=["use", step.outputs["uri"]], cpu="100m")
        step.retry(1, backoff="1s") >> use.when(step.outputs["uri"] == "s3://m")
    return made


def started(flow: Flow, scenario: Scenario) -> None:
    target = Cluster(kubeconfig=str(scenario.cluster.kubeconfig), namespace=scenario.namespace)
    flow.run(name=flow.name, cluster=target)


def as_foreseen(scenario: Scenario, foreseen: SimulatedFlow) -> None:
    flow = scenario.ended(foreseen.name)
    reported = {
        step["name"]: (step["phase"], step.get("reason", ""), step.get("attempts", 0), step.get("outputs", {}))
        for step in flow["status"]["steps"]
    }
    assert reported == {
        step.name: (step.phase, step.reason, step.attempts, dict(step.outputs)) for step in foreseen.steps.values()
    }
    assert (phase(flow), flow["status"]["outcome"]) == (foreseen.phase, foreseen.outcome)


def test_an_object_that_succeeds_after_a_retry(scenario: Scenario) -> None:
    flow = built("again")
    started(flow, scenario)
    report(scenario, "again-make", "bad", message="no disk")
    report(scenario, "again-make-r1", "good", uri="s3://m")
    as_foreseen(scenario, flow.simulate(fail="make:1", outputs={"make": {"uri": "s3://m"}}))


def test_an_object_that_fails_for_good(scenario: Scenario) -> None:
    flow = built("broken")
    started(flow, scenario)
    for name in ("broken-make", "broken-make-r1"):
        report(scenario, name, "bad")
    as_foreseen(scenario, flow.simulate(fail="make"))


def test_an_object_that_is_stopped_by_the_deadline_of_its_flow(scenario: Scenario) -> None:
    flow = built("late", deadline=5)
    started(flow, scenario)
    as_foreseen(scenario, flow.simulate(durations={"make": "1h"}, outputs={"make": {"uri": "s3://m"}}))
