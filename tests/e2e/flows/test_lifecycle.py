"""What is kept and what is deleted: retention, deletion, and objects that disappear, appear late, or fail."""

import signal

import pytest

from local.client.blocking import until
from shared.kinds import COMMAND, JOB, JOBFLOW, JOBTEMPLATE, QUEUE
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, jobflow, phase, phases, step_of, template


@pytest.mark.parametrize(("policy", "left"), [("retain", {"f-a", "f-b"}), ("delete", set())], ids=["retain", "delete"])
def test_jobs_of_an_ended_flow_are_kept_or_deleted(scenario: Scenario, policy: str, left: set[str]) -> None:
    scenario.templates("a", "b")
    scenario.flow("f", {"a": (), "b": ("a",)}, jobRetainPolicy=policy)
    scenario.succeeds("f")
    scenario.waits_for_jobs(left)
    assert phases(scenario.get("f")) == {"a": "Completed", "b": "Completed"}


def test_a_failed_job_fails_the_flow_and_no_later_job_is_created(scenario: Scenario) -> None:
    scenario.templates("a", "c")
    scenario.templates("b", code=3)
    scenario.flow("f", {"a": (), "b": ("a",), "c": ("b",)})
    flow = scenario.ended("f")
    assert phase(flow) == "Failed"
    assert phases(flow) == {"a": "Completed", "b": "Failed", "c": "Skipped"}
    assert set(scenario.jobs()) == {"f-a", "f-b"}


def test_a_step_starts_when_its_template_is_created(scenario: Scenario) -> None:
    scenario.templates("a")
    scenario.flow("f", {"a": (), "late": ("a",)})
    scenario.cluster.wait_for(
        JOBFLOW, scenario.namespace, "f", lambda flow: step_of(flow, "late").get("reason") == "TemplateNotFound"
    )
    scenario.templates("late")
    scenario.succeeds("f")


def test_a_completed_job_deleted_by_hand_is_not_run_again(scenario: Scenario) -> None:
    scenario.templates("a")
    scenario.templates("b", seconds=30)
    with scenario.recorded() as seen:
        scenario.flow("f", {"a": (), "b": ("a",)})
        scenario.reaches("f", "a", "Completed")
        scenario.kube.delete(JOB, scenario.namespace, "f-a")
        scenario.succeeds("f")
        assert seen.creations() == {"f-a": 1, "f-b": 1}


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_a_running_flow_is_deleted_completely_and_its_name_can_be_used_again(
    scenario: Scenario, propagation: str
) -> None:
    scenario.templates("a", seconds=600)
    scenario.templates("b")
    scenario.flow("f", {"a": (), "b": ("a",)})
    scenario.reaches("f", "a", "Running")
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f", propagation)
    scenario.kube.wait_gone(JOBFLOW, scenario.namespace, "f")
    scenario.flow("f", {"b": ()})
    scenario.succeeds("f", seconds=90)
    scenario.waits_for_jobs({"f-b"}, seconds=60)
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f", propagation)
    scenario.nothing_left()


def test_a_flow_runs_again_after_one_of_the_same_name_was_deleted(scenario: Scenario) -> None:
    """The new Job must wait until the old one of its name is gone, and must not be taken for it."""
    scenario.templates("a", seconds=2)
    scenario.flow("f", {"a": ()})
    old = scenario.succeeds("f")
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")
    scenario.kube.wait_gone(JOBFLOW, scenario.namespace, "f")
    scenario.flow("f", {"a": ()})
    new = scenario.succeeds("f", seconds=90)
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    owner = scenario.jobs()["f-a"]["metadata"]["ownerReferences"][0]
    assert owner["uid"] == new["metadata"]["uid"]


def test_a_flow_that_volcano_finished_is_not_changed(scenario: Scenario) -> None:
    scenario.templates("a")
    scenario.cluster.kill_controller(signal.SIGKILL)
    try:
        scenario.kube.create(JOBFLOW, jobflow(scenario.namespace, "old", {"a": ()}))
        status = {"state": {"phase": "Succeed"}, "completedJobs": ["old-a"]}
        scenario.kube.patch(JOBFLOW, scenario.namespace, "old", {"status": status}, "status")
    finally:
        scenario.cluster.restart_controller()
    scenario.flow("witness", {"a": ()})
    scenario.succeeds("witness")
    assert set(scenario.jobs()) == {"witness-a"}
    assert scenario.get("old")["status"] == status


def test_a_flow_that_volcano_started_is_continued(scenario: Scenario) -> None:
    """`a` has completed and its Job is gone, `b` has its Job; both as Volcano's controller leaves them."""
    scenario.templates("a", "b", "c")
    scenario.cluster.kill_controller(signal.SIGKILL)
    try:
        flow = scenario.kube.create(JOBFLOW, jobflow(scenario.namespace, "f", {"a": (), "b": ("a",), "c": ("b",)}))
        made = scenario.kube.create(JOB, made_by_volcano(scenario, flow, "b"))
        status = {"state": {"phase": "Running"}, "completedJobs": ["f-a"], "pendingJobs": ["f-b"]}
        scenario.kube.patch(JOBFLOW, scenario.namespace, "f", {"status": status}, "status")
    finally:
        scenario.cluster.restart_controller()
    ended = scenario.succeeds("f")
    jobs = scenario.jobs()
    assert set(jobs) == {"f-b", "f-c"}
    assert jobs["f-b"]["metadata"]["uid"] == made["metadata"]["uid"]
    assert [step_of(ended, name)["attempts"] for name in ("a", "b", "c")] == [1, 1, 1]
    assert ended["status"]["progress"] == "3/3"


def made_by_volcano(scenario: Scenario, flow: Body, step: str) -> Body:
    """The Job of a step without any of our labels."""
    meta = flow["metadata"]
    owner = {"apiVersion": flow["apiVersion"], "kind": "JobFlow", "name": meta["name"], "uid": meta["uid"]}
    template = scenario.kube.get(JOBTEMPLATE, scenario.namespace, step)
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": {
            "name": f"{meta['name']}-{step}",
            "namespace": scenario.namespace,
            "annotations": {"volcano.sh/createdByJobTemplate": f"{scenario.namespace}.{step}"},
            "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}],
        },
        "spec": template["spec"],
    }


def test_status_says_what_comes_next_and_volcanos_fields_are_right(scenario: Scenario) -> None:
    scenario.templates("a", "c")
    scenario.templates("b", seconds=600)
    scenario.flow("f", {"a": (), "b": ("a",), "c": ("b",)})
    status = scenario.reaches("f", "b", "Running")["status"]
    assert status["completedJobs"] == ["f-a"]
    assert status["runningJobs"] == ["f-b"]
    assert status["state"]["phase"] == "Running"
    assert status["progress"] == "1/3"
    assert [each["name"] for each in status["next"]] == ["c"]
    assert status["pods"]["succeeded"] == 1


def test_events_report_the_course_of_a_flow(scenario: Scenario) -> None:
    scenario.templates("a")
    scenario.flow("f", {"a": ()})
    scenario.succeeds("f")

    def reported() -> bool:
        listed = scenario.kube.request("GET", f"/api/v1/namespaces/{scenario.namespace}/events")["items"]
        reasons = {each["reason"] for each in listed if each["involvedObject"]["kind"] == "JobFlow"}
        return {"StepStarted", "StepCompleted", "Succeeded"} <= reasons

    until(reported, 20, lambda: "no such events")


def test_a_step_waits_for_its_closed_queue_and_starts_when_the_queue_opens(scenario: Scenario) -> None:
    """A queue that was closed when a step was due failed the flow for good."""
    name = f"{scenario.namespace}-q"
    meta = {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": name}, "spec": {}}
    scenario.cluster.apply(meta)
    try:
        order(scenario, name, "CloseQueue", "Closed")
        body = template(scenario.namespace, "b")
        body["spec"]["queue"] = name
        scenario.templates("a")
        scenario.kube.create(JOBTEMPLATE, body)
        scenario.flow("f", {"a": (), "b": ("a",)})
        flow = scenario.cluster.wait_for(
            JOBFLOW, scenario.namespace, "f", lambda flow: step_of(flow, "b").get("reason") == "QueueClosed"
        )
        assert flow["status"]["state"]["message"] == f"step b: queue {name} is closed"
        assert set(scenario.jobs()) == {"f-a"}
        order(scenario, name, "OpenQueue", "Open")
        scenario.succeeds("f", 20)
    finally:
        scenario.kube.delete(JOBFLOW, scenario.namespace, "f")
        scenario.nothing_left()
        scenario.kube.delete(QUEUE, "", name)


def order(scenario: Scenario, queue: str, action: str, state: str) -> None:
    """Close or open a queue, and wait until it is."""
    found = scenario.kube.get(QUEUE, "", queue)
    target = {"apiVersion": QUEUE.api_version, "kind": "Queue", "name": queue, "uid": found["metadata"]["uid"]}
    scenario.kube.create(
        COMMAND,
        {
            "apiVersion": COMMAND.api_version,
            "kind": "Command",
            "metadata": {"name": f"{queue}-{action.lower()}", "namespace": scenario.namespace},
            "action": action,
            "target": target,
        },
    )
    scenario.kube.wait(QUEUE, "", queue, lambda found: (found.get("status") or {}).get("state") == state, 30)


def test_the_history_of_a_job_whose_task_restarts_within_a_second_is_complete(scenario: Scenario) -> None:
    """The pods end at once, so several stays of the Job have the same second."""
    body = template(scenario.namespace, "t", seconds=0, code=3)
    policy = {"event": "PodFailed", "action": "RestartTask"}
    scenario.cluster.apply({**body, "spec": {**body["spec"], "maxRetry": 3, "policies": [policy]}})
    scenario.flow("f", {"t": ()})
    flow = scenario.ended("f", 120)
    (entry,) = flow["status"]["jobStatusList"]
    stays = [each["state"] for each in entry["runningHistories"]]
    seen = [stay for stay in stays if stay != "Running"]  # the pod may have failed before it was seen running
    assert seen == ["Pending", *["Restarting", "Pending"] * 3, "Failed"], entry
