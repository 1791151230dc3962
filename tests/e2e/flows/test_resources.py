"""Objects of other kinds as steps: their end, retries, stops, deletion, outputs, and CRDs that come later."""

import time
from typing import Any

import pytest

from local.client.blocking import until
from local.cluster import LocalCluster
from shared.kinds import COMMAND, CRD, JOBFLOW, NAMESPACE
from shared.model.types import Body
from tests.e2e.support.resources import (
    CHOSEN,
    LATE,
    WIDGET,
    await_object,
    definition,
    report,
    widget,
)
from tests.e2e.support.scenario import Scenario, jobflow, phase, step_of, targets


@pytest.fixture(scope="module", autouse=True)
def widgets(cluster: LocalCluster) -> None:
    """The CRD; the controller looks for it every 15 s."""
    cluster.kube.apply(CRD, definition(WIDGET))


def widgets_of(scenario: Scenario) -> set[str]:
    return {one["metadata"]["name"] for one in scenario.kube.list(WIDGET, scenario.namespace)}


def command(scenario: Scenario, name: str, action: str) -> None:
    flow = scenario.get(name)["metadata"]
    target = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": name, "uid": flow["uid"]}
    metadata = {"generateName": f"{name}-", "namespace": scenario.namespace}
    body = {"apiVersion": COMMAND.api_version, "kind": "Command", "metadata": metadata}
    scenario.kube.create(COMMAND, {**body, "action": action, "target": target})


def refused(scenario: Scenario, **resource: Any) -> str:
    return scenario.refused(jobflow(scenario.namespace, "f", {"a": {"resource": widget(**resource)}}))


def test_an_object_is_created_with_values_and_its_outputs_reach_a_job(scenario: Scenario) -> None:
    scenario.templates("work")
    manifest = widget()["manifest"] | {
        "metadata": {"labels": {"size": "$(params.size)"}},
        "spec": {"size": "$(params.size)", "of": "$(flow.name)/$(step.name)"},
    }
    outputs = [{"name": "uri", "expression": "object.status.uri"}, {"name": "n", "expression": "object.status.n"}]
    first = {"resource": widget(manifest=manifest), "outputs": outputs}
    last = {"template": "work", "if": "steps.a.outputs.uri == 's3://m' && steps.a.outputs.n == '3'"} | targets("a")
    scenario.flow("f", {"a": first, "b": last}, params=[{"name": "size", "value": "large"}])
    made = await_object(scenario, WIDGET, "f-a")
    assert made["spec"] == {"size": "large", "of": "f/a"}
    assert made["metadata"]["labels"]["size"] == "large"
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("JobFlow", scenario.get("f")["metadata"]["uid"], True)
    scenario.reaches("f", "a", "Running")
    report(scenario, "f-a", "good", uri="s3://m", n=3)
    flow = scenario.succeeds("f")
    assert step_of(flow, "a")["outputs"] == {"uri": "s3://m", "n": "3"}
    assert step_of(flow, "b")["phase"] == "Completed"


def test_an_object_that_fails_is_replaced_by_a_new_one_and_its_message_is_shown(scenario: Scenario) -> None:
    retry = {"limit": 1, "backoff": {"duration": "1s"}}
    scenario.flow("f", {"a": {"resource": widget(), "retry": retry}})
    report(scenario, "f-a", "bad", message="no space")
    report(scenario, "f-a-r1", "bad", message="still none")
    flow = scenario.ended("f")
    step = step_of(flow, "a")
    assert (phase(flow), step["phase"], step["reason"], step["attempts"]) == ("Failed", "Failed", "ResourceFailed", 2)
    assert "Widget f-a-r1 has failed: still none" in step["message"]
    assert widgets_of(scenario) == {"f-a", "f-a-r1"}


def test_a_retry_goes_down_to_a_flow_that_completes_at_once(scenario: Scenario) -> None:
    inner = jobflow("", "", {"a": {"resource": widget()}})["spec"]
    scenario.flow("f", {"a": {"flow": {"spec": inner}}})
    report(scenario, "f-a-a", "bad")
    scenario.ended("f")
    command(scenario, "f", "RetryJobFlow")
    report(scenario, "f-a-a-r1", "good")
    assert step_of(scenario.succeeds("f"), "a")["attempts"] == 1


def test_a_loop_creates_one_each_and_the_retain_policy_deletes_them(scenario: Scenario) -> None:
    loop = {"resource": widget(), "for": {"items": ["x", "y"]}}
    scenario.flow("f", {"a": loop}, jobRetainPolicy="delete")
    for index in (0, 1):
        report(scenario, f"f-a-{index}", "good")
    scenario.succeeds("f")
    until(lambda: not widgets_of(scenario), 30, lambda: str(widgets_of(scenario)))


def test_stopping_a_flow_deletes_its_object_and_finally_runs(scenario: Scenario) -> None:
    scenario.templates("clean")
    scenario.flow("f", {"a": {"resource": widget()}}, **{"finally": [{"name": "z", "template": "clean"}]})
    await_object(scenario, WIDGET, "f-a")
    scenario.reaches("f", "a", "Running")
    command(scenario, "f", "TerminateJobFlow")
    flow = scenario.ended("f", 90)  # the garbage collector of a real cluster finds a new kind after 30 s
    assert (step_of(flow, "a")["phase"], step_of(flow, "z")["phase"]) == ("Terminated", "Completed")
    assert widgets_of(scenario) == set()


def test_a_step_with_a_patch_stops_its_object_by_it(scenario: Scenario) -> None:
    stop = {"patch": [{"op": "add", "path": "/spec/suspend", "value": True}]}
    scenario.flow("f", {"a": {"resource": widget(terminate=stop), "activeDeadlineSeconds": 2}})
    flow = scenario.ended("f")
    step = step_of(flow, "a")
    assert (step["phase"], step["reason"]) == ("Failed", "DeadlineExceeded"), step
    assert scenario.kube.get(WIDGET, scenario.namespace, "f-a")["spec"] == {"size": 1, "suspend": True}


def test_a_suspended_flow_creates_nothing_and_continues_when_resumed(scenario: Scenario) -> None:
    scenario.flow("f", {"a": {"resource": widget()}}, suspend=True)
    scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "f", lambda flow: phase(flow) == "Suspended", 30)
    assert widgets_of(scenario) == set()
    command(scenario, "f", "ResumeJobFlow")
    report(scenario, "f-a", "good")
    scenario.succeeds("f")


def test_the_end_of_an_object_is_seen_by_a_controller_that_was_away(scenario: Scenario) -> None:
    scenario.flow("f", {"a": {"resource": widget()}})
    await_object(scenario, WIDGET, "f-a")
    scenario.cluster.kill_controller()
    try:
        report(scenario, "f-a", "good")
    finally:
        scenario.cluster.restart_controller()
    scenario.succeeds("f")
    assert widgets_of(scenario) == {"f-a"}


def test_an_object_that_somebody_deletes_ends_its_step(scenario: Scenario) -> None:
    scenario.flow("f", {"a": {"resource": widget()}})
    scenario.reaches("f", "a", "Running")
    scenario.kube.delete(WIDGET, scenario.namespace, "f-a")
    flow = scenario.ended("f")
    assert (phase(flow), step_of(flow, "a")["phase"]) == ("Failed", "Terminated"), flow["status"]


def test_deleting_a_flow_deletes_its_object(scenario: Scenario) -> None:
    scenario.flow("f", {"a": {"resource": widget()}})
    await_object(scenario, WIDGET, "f-a")
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")
    until(lambda: not widgets_of(scenario), 90, lambda: str(widgets_of(scenario)))


def test_a_step_waits_for_a_kind_whose_definition_comes_later(scenario: Scenario) -> None:
    manifest = {"apiVersion": LATE.api_version, "kind": "Late"}
    scenario.flow("f", {"a": {"resource": widget(manifest=manifest)}})
    waiting = scenario.cluster.wait_for(
        JOBFLOW, scenario.namespace, "f", lambda flow: step_of(flow, "a").get("reason") == "KindNotFound", 30
    )
    assert "does not serve test.jobflow.dev/v1 Late yet" in step_of(waiting, "a")["message"]
    scenario.kube.apply(CRD, definition(LATE))
    try:
        await_object(scenario, LATE, "f-a")
        scenario.kube.patch(LATE, scenario.namespace, "f-a", {"status": {"state": "good"}}, "status")
        scenario.succeeds("f")
    finally:
        scenario.kube.delete(CRD, "", LATE.resource)


def test_a_kind_may_be_allowed_in_some_namespaces_only(scenario: Scenario) -> None:
    scenario.kube.apply(CRD, definition(CHOSEN))
    manifest: Body = {"apiVersion": CHOSEN.api_version, "kind": "Chosen"}
    assert "does not allow steps to create it in this namespace" in refused(scenario, manifest=manifest)
    scenario.kube.patch(NAMESPACE, "", scenario.namespace, {"metadata": {"labels": {"chosen": "yes"}}})
    time.sleep(2)  # the webhook sees the label
    scenario.flow("f", {"a": {"resource": widget(manifest=manifest)}})
    await_object(scenario, CHOSEN, "f-a")


def test_what_a_manifest_may_not_say_is_refused(scenario: Scenario) -> None:
    base = widget()["manifest"]
    assert "apps/v1 Deployment: the operator does not allow" in refused(
        scenario, manifest={"apiVersion": "apps/v1", "kind": "Deployment"}
    )
    assert "never" in refused(scenario, manifest={"apiVersion": "v1", "kind": "Secret"})
    assert "the flow's namespace" in refused(scenario, manifest=base | {"metadata": {"namespace": "kube-system"}})
    assert "the flow owns the object" in refused(scenario, manifest=base | {"metadata": {"ownerReferences": []}})
    assert "must be written out" in refused(scenario, manifest=base | {"kind": "$(flow.name)"})
    account = base | {"spec": {"template": {"serviceAccountName": "$(flow.name)"}}}
    assert "a service account must be written out" in refused(scenario, manifest=account)
