"""Control primitives of a flow, end to end: branch, loop, retry, outputs, probes, limits."""

import pytest

from local.client.blocking import until
from shared.kinds import COMMAND, JOB, JOBFLOW, JOBTEMPLATE
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, phase, phases, step_of, targets, template


@pytest.mark.parametrize(("grade", "ran", "skipped"), [("A", "deploy", "notify"), ("F", "notify", "deploy")])
def test_a_switch_runs_the_branch_that_an_output_chooses(
    scenario: Scenario, grade: str, ran: str, skipped: str
) -> None:
    scenario.templates("evaluate", termination_message=grade)
    scenario.templates("deploy", "notify", "end")
    cases = [{"when": ["A", "B"], "run": ["deploy"]}]
    scenario.flow(
        "f",
        {
            "evaluate": {"outputs": [{"name": "grade"}]},
            "route": targets("evaluate")
            | {"switch": {"value": "steps.evaluate.outputs.grade", "cases": cases, "default": ["notify"]}},
            "deploy": {},
            "notify": {},
            "end": targets("deploy", "notify"),
        },
    )
    flow = scenario.succeeds("f")
    assert phases(flow)[ran] == "Completed"
    assert (phases(flow)[skipped], step_of(flow, skipped)["reason"]) == ("Skipped", "NotSelected")
    assert phases(flow)["end"] == "Completed"


@pytest.mark.parametrize(("length", "reason"), [(4095, None), (4096, "OutputMissing"), (5009, "OutputMissing")])
def test_an_output_of_a_message_that_may_be_cut_is_missing(scenario: Scenario, length: int, reason: str | None) -> None:
    scenario.templates("emit", termination_message="x" * length)
    scenario.flow("f", {"emit": {"outputs": [{"name": "o"}]}})
    step = step_of(scenario.ended("f"), "emit")
    assert step.get("reason") == reason
    assert ("it may be cut" in step.get("message", "")) == bool(reason)


def test_a_loop_makes_a_job_for_each_item_and_fills_its_template(scenario: Scenario) -> None:
    body = template(scenario.namespace, "train")
    container = body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "RATE", "value": "$(item.rate)"}, {"name": "AT", "value": "$(index)"}]
    scenario.kube.create(JOBTEMPLATE, body)
    scenario.flow("f", {"train": {"for": {"matrix": {"rate": ["1", "2"], "size": ["s", "l"]}, "parallelism": 2}}})
    scenario.succeeds("f")
    jobs = scenario.jobs()
    assert set(jobs) == {f"f-train-{index}" for index in range(4)}
    env = jobs["f-train-3"]["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "RATE", "value": "2"}, {"name": "AT", "value": "3"}]


def test_a_while_loop_continues_until_its_output_says_stop(scenario: Scenario) -> None:
    scenario.templates("search", termination_message='{"best": 7}')
    loop = {"while": 'index < 3 && last.phase != "Failed"', "maxIterations": 10}
    scenario.flow("f", {"search": {"for": loop, "outputs": [{"name": "best", "key": "best"}]}})
    flow = scenario.succeeds("f")
    assert set(scenario.jobs()) == {f"f-search-{index}" for index in range(3)}
    assert step_of(flow, "search")["outputs"] == {"best": "7"}


def test_a_failed_step_is_tried_again_in_a_new_job(scenario: Scenario) -> None:
    scenario.templates("ok")
    body = template(scenario.namespace, "flaky", code=1)
    scenario.kube.create(JOBTEMPLATE, body)
    retry = {"limit": 2, "backoff": {"duration": "1s"}}
    scenario.flow("f", {"flaky": {"retry": retry}, "rescue": {"template": "ok"} | targets("flaky", condition="Failed")})
    flow = scenario.ended("f")
    assert phase(flow) == "Failed"
    assert step_of(flow, "flaky")["attempts"] == 3
    assert {"f-flaky", "f-flaky-r1", "f-flaky-r2"} <= set(scenario.jobs())
    assert phases(flow)["rescue"] == "Completed"


def test_no_retry_is_made_if_its_condition_is_false(scenario: Scenario) -> None:
    scenario.templates("fatal", code=2)
    scenario.flow("f", {"fatal": {"retry": {"limit": 5, "if": "attempt.exitCode != 2"}}})
    assert phase(scenario.ended("f")) == "Failed"
    assert set(scenario.jobs()) == {"f-fatal"}


def test_finally_runs_after_a_failure_and_reads_the_outcome(scenario: Scenario) -> None:
    scenario.templates("bad", code=1)
    scenario.templates("clean", "praise")
    scenario.flow(
        "f",
        {"bad": ()},
        **{"finally": [{"name": "clean"}, {"name": "praise", "if": 'flow.outcome == "Succeed"'}]},
    )
    flow = scenario.ended("f")
    assert phase(flow) == "Failed"
    assert phases(flow) == {"bad": "Failed", "clean": "Completed", "praise": "Skipped"}


def test_a_patch_and_params_change_the_created_job(scenario: Scenario) -> None:
    scenario.templates("a")
    patch = {
        "jobSpec": {
            "tasks": [
                {"name": "w", "template": {"spec": {"containers": [{"name": "main", "image": "$(params.image)"}]}}}
            ]
        },
        "jsonPatch": [{"op": "replace", "path": "/tasks/0/replicas", "expression": "int(params.width)"}],
    }
    params = [{"name": "image", "value": "alpine"}, {"name": "width", "value": "3"}]
    scenario.flow("f", {"a": {"patch": patch}}, params=params)
    scenario.succeeds("f")
    task = scenario.jobs()["f-a"]["spec"]["tasks"][0]
    assert task["replicas"] == 3
    assert task["template"]["spec"]["containers"][0]["image"] == "alpine"


def test_a_step_starts_when_the_probe_of_its_server_succeeds(scenario: Scenario) -> None:
    body = template(scenario.namespace, "server")
    pod = body["spec"]["tasks"][0]["template"]
    pod["metadata"]["annotations"] = {"jobflow.dev/run-command": "true"}
    pod["spec"]["containers"][0] |= {
        "command": ["python3", "-m", "http.server", "18081", "--bind", "$(IP)"],
        "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    }
    scenario.kube.create(JOBTEMPLATE, body)
    scenario.templates("client")
    probe = {"httpGetList": [{"taskName": "w", "port": 18081, "path": "/"}]}
    scenario.flow("f", {"server": {"daemon": True}, "client": targets("server", probe=probe)})
    flow = scenario.succeeds("f")
    assert phases(flow) == {"server": "Completed", "client": "Completed"}


def test_a_task_status_probe_holds_once_the_task_runs(scenario: Scenario) -> None:
    scenario.templates("long", seconds=100)
    scenario.templates("beside")
    probe = {"taskStatusList": [{"taskName": "w", "phase": "Running"}]}
    with scenario.recorded() as seen:
        scenario.flow("f", {"long": (), "beside": targets("long", probe=probe)})
        scenario.succeeds("f")
        assert seen.created("f-beside") < seen.reached("f-long", "Completed")


def test_parallelism_bounds_how_many_jobs_run_at_once(scenario: Scenario) -> None:
    steps = {f"s{index}": {"template": "one"} for index in range(6)}
    scenario.templates("one")
    with scenario.recorded() as seen:
        scenario.flow("f", steps, parallelism=2)
        scenario.succeeds("f")
        alive = most = 0
        for _, _, moment in seen.moments:
            alive += {"": 1, "Completed": -1}.get(moment, 0)
            most = max(most, alive)
    assert most == 2


def test_a_suspended_flow_starts_no_job_and_continues_when_resumed(scenario: Scenario) -> None:
    scenario.templates("a", seconds=100)
    scenario.templates("b")
    scenario.flow("f", {"a": (), "b": ("a",)})
    scenario.reaches("f", "a", "Running")
    scenario.kube.patch(JOBFLOW, scenario.namespace, "f", {"spec": {"suspend": True}})
    flow = scenario.reaches("f", "a", "Completed")
    scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "f", lambda flow: phase(flow) == "Suspended")
    assert scenario.kube.find(JOB, scenario.namespace, "f-b") is None
    scenario.kube.patch(JOBFLOW, scenario.namespace, "f", {"spec": {"suspend": False}})
    assert scenario.succeeds("f")["metadata"]["uid"] == flow["metadata"]["uid"]


def test_a_deadline_ends_the_flow(scenario: Scenario) -> None:
    scenario.templates("a", seconds=600)
    scenario.flow("f", {"a": ()}, activeDeadlineSeconds=2)
    flow = scenario.ended("f")
    assert (phase(flow), flow["status"]["outcome"]) == ("Failed", "DeadlineExceeded")


def test_commands_stop_and_retry_a_flow(scenario: Scenario) -> None:
    scenario.templates("a", seconds=600)
    scenario.templates("b")
    flow = scenario.flow("f", {"a": (), "b": ("a",)})
    scenario.reaches("f", "a", "Running")
    _command(scenario, flow, "stop", "TerminateJobFlow")
    assert scenario.ended("f")["status"]["outcome"] == "Terminated"
    scenario.kube.patch(JOBTEMPLATE, scenario.namespace, "a", template(scenario.namespace, "a"))
    _command(scenario, flow, "again", "RetryJobFlow")
    scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "f", lambda flow: phase(flow) == "Succeed")
    until(lambda: not scenario.kube.list(COMMAND, scenario.namespace), 20, lambda: "a Command is left")


def test_an_ended_flow_is_deleted_after_its_ttl(scenario: Scenario) -> None:
    scenario.templates("a")
    scenario.flow("f", {"a": ()}, ttlSecondsAfterFinished=1)
    scenario.kube.wait_gone(JOBFLOW, scenario.namespace, "f")
    scenario.nothing_left()


def _command(scenario: Scenario, flow: Body, name: str, action: str) -> None:
    meta = flow["metadata"]
    scenario.cluster.apply(
        {
            "apiVersion": COMMAND.api_version,
            "kind": "Command",
            "metadata": {"name": name, "namespace": scenario.namespace},
            "action": action,
            "target": {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": meta["name"], "uid": meta["uid"]},
        }
    )
