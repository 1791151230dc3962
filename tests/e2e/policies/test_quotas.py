"""Quotas of policies: how many flows of a namespace run, and which ones wait."""

from local.client.blocking import until
from local.client.rest import RestError
from shared.kinds import JOBFLOW
from tests.e2e.support.policies import Policies, known_to_the_controller
from tests.e2e.support.scenario import Scenario, jobflow


def test_the_number_of_running_flows_of_a_namespace_is_limited(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=60)
    policies("running", limits={"maxRunningFlows": 1})
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    reported = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "g", {"a": ()}))
    assert "has 1 active JobFlow, at most 1 may run at once" in reported
    scenario.flow("g", {"a": ()}, suspend=True)
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")

    def resumed() -> bool:
        try:
            scenario.kube.patch(JOBFLOW, scenario.namespace, "g", {"spec": {"suspend": False}})
        except RestError as error:
            return "maxRunningFlows" not in error.message
        return True

    until(resumed, 15, lambda: "g may not run though f is gone")
    assert not scenario.get("g")["spec"].get("suspend")
    scenario.kube.delete(JOBFLOW, scenario.namespace, "g")


def age(scenario: Scenario, name: str) -> tuple[str, str]:
    """What quotas order flows by. Timestamps have whole seconds, so flows that are made one after the other may share one."""
    metadata = scenario.get(name)["metadata"]
    return metadata["creationTimestamp"], metadata["uid"]


def test_flows_beyond_a_quota_wait_and_start_in_their_order(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=2000)
    policies("queue", limits={"maxActiveFlows": 1, "maxHeldFlows": 2})
    known_to_the_controller(scenario, f"{scenario.namespace}-queue")
    names = ("f", "g", "h")
    for name in names:
        scenario.flow(name, {"a": ()})
        until(lambda name=name: (scenario.get(name).get("status") or {}).get("state"), 30, lambda: "no status")
    reported = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "i", {"a": ()}))
    assert "has 3 active JobFlows, at most 1 may run at once and 2 may wait" in reported
    scenario.reaches("f", "a", "Running")
    running = "f"
    for name in sorted(names[1:], key=lambda name: age(scenario, name)):
        state = scenario.get(name)["status"]["state"]
        assert (state["phase"], state["reason"]) == ("Pending", "QuotaExceeded"), state
        scenario.kube.delete(JOBFLOW, scenario.namespace, running)
        scenario.reaches(name, "a", "Running")
        running = name
    scenario.kube.delete(JOBFLOW, scenario.namespace, running)


def test_a_forged_owner_hides_no_flow_from_a_quota(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=2000)
    policies("one", limits={"maxActiveFlows": 1})
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    owner = {
        "apiVersion": JOBFLOW.api_version,
        "kind": "JobFlow",
        "name": "f",
        "uid": scenario.get("f")["metadata"]["uid"],
        "controller": True,
    }
    forged = jobflow(scenario.namespace, "g", {"a": ()})
    forged["metadata"]["ownerReferences"] = [owner]
    assert "at most 1 may run at once" in scenario.cluster.kubectl.refusal(forged)
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")


def test_a_suspended_flow_counts_while_its_jobs_run(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=2000)
    policies("running", limits={"maxRunningFlows": 1})
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    scenario.kube.patch(JOBFLOW, scenario.namespace, "f", {"spec": {"suspend": True}})
    until(lambda: scenario.get("f")["status"]["state"]["phase"] == "Suspended", 30, lambda: str(scenario.get("f")))
    refused = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "g", {"a": ()}))
    assert "at most 1 may run at once" in refused


def test_deleted_flows_do_not_count(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=60)
    policies("running", limits={"maxRunningFlows": 2})
    for attempt in range(5):
        for name in ("f", "g"):
            scenario.kube.create(JOBFLOW, jobflow(scenario.namespace, f"{name}-{attempt}", {"a": ()}))
        scenario.cluster.kubectl("delete", "jobflow", "--all", "-n", scenario.namespace)
