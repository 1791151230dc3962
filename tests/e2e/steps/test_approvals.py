"""Steps that wait for a person, on a cluster where senders of approvals are not compared."""

from typing import Any

from shared.kinds import COMMAND, JOBFLOW
from shared.model.types import Body
from tests.e2e.support.approvals import approval
from tests.e2e.support.scenario import Scenario, jobflow, phase, step_of, targets

STEPS: Body = {"build": (), "release": {"approve": {"message": "release it?"}} | targets("build"), "ship": ("release",)}


def waiting(scenario: Scenario, name: str = "f", **spec: Any) -> Body:
    """A flow whose step `release` waits."""
    scenario.templates("build", "ship")
    scenario.flow(name, STEPS, **spec)
    return asked(scenario, name)


def asked(scenario: Scenario, name: str = "f") -> Body:
    return scenario.cluster.wait_for(
        JOBFLOW, scenario.namespace, name, lambda flow: step_of(flow, "release").get("reason") == "WaitingForApproval"
    )


def result(scenario: Scenario, flow: Body, command: Body) -> str:
    """What came of a Command, as the flow records it."""
    uid = scenario.kube.create(COMMAND, command)["metadata"]["uid"]

    def found(seen: Body) -> Any:
        return next((one for one in (seen["status"].get("commandResults") or ()) if one["uid"] == uid), None)

    name = flow["metadata"]["name"]
    seen = scenario.cluster.wait_for(JOBFLOW, scenario.namespace, name, lambda seen: bool(found(seen)))
    return f"{found(seen)['result']}: {found(seen)['message']}"


def test_an_approved_step_completes_and_the_record_says_who_and_when(scenario: Scenario) -> None:
    flow = waiting(scenario)
    assert flow["status"]["next"][0] == {"name": "release", "waitingFor": ["waits for approval"]}
    assert result(scenario, flow, approval(flow)) == "Done: step release was approved by jane"
    release = step_of(scenario.succeeds("f"), "release")
    assert (release["approval"]["decision"], release["approval"]["user"]) == ("Approved", "jane")
    assert release["approval"]["time"]
    assert release["approval"]["message"] == "looks good"
    assert release["message"] == "approved by jane: looks good"


def test_a_rejected_step_fails_and_asks_again_after_a_retry(scenario: Scenario) -> None:
    flow = waiting(scenario)
    scenario.kube.create(COMMAND, approval(flow, reject=True))
    assert phase(scenario.ended("f")) == "Failed"
    assert step_of(scenario.get("f"), "release")["reason"] == "Rejected"
    retry = {**approval(flow), "action": "RetryJobFlow", "message": ""}
    scenario.kube.create(COMMAND, retry)
    flow = asked(scenario)
    assert result(scenario, flow, approval(flow)) == "WithoutEffect: step release is at attempt 2, not 1"
    assert result(scenario, flow, approval(flow, attempt=2)).startswith("Done")
    scenario.succeeds("f")
    assert result(scenario, flow, approval(flow, attempt=2)) == "WithoutEffect: step release has ended: Completed"


def test_nobody_approves_a_flow_of_their_own(scenario: Scenario) -> None:
    flow = waiting(scenario)
    creator = flow["metadata"]["annotations"]["flow.jobflow.dev/creator"]
    assert creator
    said = result(scenario, flow, approval(flow, user=creator))
    assert (
        said
        == f"Refused: {creator} created the flow; a JobFlowPolicy must allow to approve own flows (approvals.ownFlows)"
    )


def test_a_timeout_rejects(scenario: Scenario) -> None:
    scenario.templates("build", "ship")
    steps = {**STEPS, "release": {"approve": {"timeout": "1s"}} | targets("build")}
    scenario.flow("f", steps)
    flow = scenario.ended("f")
    assert step_of(flow, "release")["message"] == "rejected after the timeout: nobody answered within 1s"


def test_a_timeout_approves_only_with_the_leave_of_a_policy(scenario: Scenario) -> None:
    scenario.templates("build", "ship")
    steps = {**STEPS, "release": {"approve": {"timeout": "1s", "onTimeout": "Approve"}} | targets("build")}
    scenario.flow("f", steps)
    flow = scenario.ended("f")
    assert "onTimeout: Approve needs a JobFlowPolicy" in step_of(flow, "release")["message"]
    match = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scenario.namespace}}}
    name = f"leave-{scenario.namespace}"
    policy = {"metadata": {"name": name}, "spec": {"match": match, "approvals": {"onTimeout": True}}}
    scenario.cluster.apply({"apiVersion": "policy.jobflow.dev/v1alpha1", "kind": "JobFlowPolicy", **policy})
    scenario.flow("g", steps)
    assert step_of(scenario.succeeds("g"), "release")["approval"]["decision"] == "Approved"


def test_a_stop_ends_the_wait(scenario: Scenario) -> None:
    flow = waiting(scenario)
    scenario.kube.create(COMMAND, {**approval(flow), "action": "TerminateJobFlow", "message": ""})
    assert step_of(scenario.ended("f"), "release")["phase"] == "Terminated"


def test_a_failure_elsewhere_ends_the_wait(scenario: Scenario) -> None:
    scenario.templates("broken", code=1, seconds=10)
    scenario.flow("f", {"release": {"approve": {}}, "broken": ()})
    flow = scenario.ended("f")
    assert (step_of(flow, "release")["phase"], step_of(flow, "release")["reason"]) == ("Skipped", "FlowStopped")


def test_fields_of_jobs_are_refused_on_a_step_that_waits_for_a_person(scenario: Scenario) -> None:
    step = {"approve": {"timeout": "soon", "onTimeout": "Approve"}, "retry": {"limit": 1}, "template": "x"}
    said = scenario.refused(jobflow(scenario.namespace, "f", {"s": step}))
    for field in ("spec.flows[0].template", "spec.flows[0].retry", "spec.flows[0].approve.timeout"):
        assert field in said
