"""Faults that occurred on a real cluster and must not occur again."""

from local.client.blocking import until
from shared.kinds import COMMAND, EVENT, JOB, JOBFLOW
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, step_of, targets, template

COMMANDED = {"apiVersion": "flow.volcano.sh/v1alpha1", "kind": "JobFlow", "name": "f"}


def test_a_flow_shows_what_its_job_waits_for_and_continues_when_it_exists(scenario: Scenario) -> None:
    """A missing PriorityClass or claim left a flow Pending without any message."""
    body = template(scenario.namespace, "needs-claim")
    body["spec"]["volumes"] = [{"mountPath": "/data", "volumeClaimName": "not-there"}]
    scenario.cluster.apply(body)
    scenario.flow("f", {"needs-claim": ()})
    flow = scenario.cluster.wait_for(
        JOBFLOW, scenario.namespace, "f", lambda flow: step_of(flow, "needs-claim").get("reason") is not None
    )
    assert flow["status"]["state"]["reason"] == "VolumeClaimNotFound"
    assert "not-there does not exist" in flow["status"]["state"]["message"]


def test_a_template_without_replicas_gives_a_warning(scenario: Scenario) -> None:
    """Absent replicas are 0, as in Volcano: the Job waited with a message about its queue."""
    body = template(scenario.namespace, "none")
    del body["spec"]["tasks"][0]["replicas"]
    body["spec"]["minAvailable"] = 0
    scenario.cluster.apply(body)
    scenario.flow("f", {"none": ()})
    flow = scenario.cluster.wait_for(
        JOBFLOW, scenario.namespace, "f", lambda flow: step_of(flow, "none").get("reason") is not None
    )
    assert flow["status"]["state"]["reason"] == "NoReplicas"


def test_a_stopped_daemon_counts_no_failed_pod(scenario: Scenario) -> None:
    """A pod killed in the very second of its deletion was taken for one that had failed before."""
    scenario.templates("server", seconds=1000)
    scenario.templates("client")
    running = {"taskStatusList": [{"taskName": "w", "phase": "Running"}]}
    scenario.flow("f", {"server": {"daemon": True}, "client": targets("server", probe=running)})
    flow = scenario.succeeds("f")
    assert (flow["status"]["pods"].get("failed", 0), flow["status"]["pods"]["failureRatePercent"]) == (0, 0)


def test_a_flow_does_not_wait_for_a_job_whose_owner_reference_was_removed(scenario: Scenario) -> None:
    scenario.templates("a", seconds=1000)
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    scenario.kube.patch(JOB, scenario.namespace, "f-a", {"metadata": {"ownerReferences": None}})
    assert step_of(scenario.ended("f"), "a")["reason"] == "JobDeleted"


def test_a_command_for_an_earlier_flow_of_the_name_is_removed_and_does_nothing(scenario: Scenario) -> None:
    scenario.templates("a", seconds=2)
    scenario.flow("f", {"a": ()})
    order(scenario, "TerminateJobFlow", {**COMMANDED, "uid": "of-an-earlier-one"})
    scenario.succeeds("f")
    scenario.kube.wait_gone(COMMAND, scenario.namespace, "terminatejobflow")


def test_a_step_reports_that_it_waits_for_an_aborted_job_and_a_restart_does_not_wait(scenario: Scenario) -> None:
    """An Aborted Job takes no order to terminate: the restarted flow waited for its end for ever."""
    scenario.templates("a", seconds=2000)
    scenario.templates("b")
    scenario.flow("f", {"a": (), "b": ("a",)})
    scenario.reaches("f", "a", "Running")
    job = scenario.kube.get(JOB, scenario.namespace, "f-a")
    target = {"apiVersion": JOB.api_version, "kind": "Job", "name": "f-a", "uid": job["metadata"]["uid"]}
    order(scenario, "AbortJob", target | {"controller": True})
    flow = scenario.reaches("f", "a", "Suspended")
    assert flow["status"]["nextSummary"] == "b: waits for a (Job f-a is Aborted; resume it to continue)"
    scenario.templates("a")
    order(scenario, "RestartJobFlow", {**COMMANDED, "uid": flow["metadata"]["uid"]})
    scenario.reaches("f", "b", "Completed")
    ended = scenario.succeeds("f")
    assert step_of(ended, "a")["jobs"] == ["f-a", "f-a-r1"]


def order(scenario: Scenario, action: str, target: Body) -> None:
    """A Command as users write it by hand."""
    command: Body = {
        "apiVersion": COMMAND.api_version,
        "kind": "Command",
        "metadata": {"name": action.lower(), "namespace": scenario.namespace},
        "action": action,
        "target": target,
    }
    scenario.kube.create(COMMAND, command)


def test_why_pods_do_not_run_reaches_step_next_and_event(scenario: Scenario) -> None:
    """`jobflow status` showed Pending, Bound and Running beside a selector, an image and a command that never work."""
    bodies = {name: template(scenario.namespace, name, seconds=1, code=7) for name in ("nowhere", "crash", "pull")}
    pods = {name: body["spec"]["tasks"][0]["template"]["spec"] for name, body in bodies.items()}
    pods["nowhere"]["nodeSelector"] = {"disk": "none"}
    pods["crash"]["restartPolicy"] = "OnFailure"
    pods["pull"]["containers"][0]["image"] = "fail/nowhere"
    for body in bodies.values():
        scenario.cluster.apply(body)
    scenario.templates("after")
    scenario.flow("f", {"nowhere": (), "crash": (), "pull": (), "after": ("crash",)})
    for name, reason, words in (
        ("nowhere", "WaitingForPodGroup", "never"),
        ("crash", "PodProblem", "last exit code 7"),
        ("pull", "PodsPending", "container main"),
    ):
        flow = scenario.cluster.wait_for(
            JOBFLOW,
            scenario.namespace,
            "f",
            lambda flow, name=name, reason=reason, words=words: (
                step_of(flow, name).get("reason") == reason and words in step_of(flow, name)["message"]
            ),
            60,
        )
    assert "restarted" in flow["status"]["nextSummary"]
    until(lambda: "PodProblem" in reasons_of_events(scenario, "f"), 30, lambda: str(reasons_of_events(scenario, "f")))


def reasons_of_events(scenario: Scenario, name: str) -> set[str]:
    events = scenario.kube.list(EVENT, scenario.namespace)
    return {each["reason"] for each in events if each["involvedObject"]["name"] == name}
