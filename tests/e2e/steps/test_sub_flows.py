"""Flows as steps of flows: outputs reach the flow above; stop, suspension, retries, deadlines and deletion reach the
flows below."""

import random
import time
from typing import Any

import pytest

from local.client.blocking import until
from local.client.rest import RestError
from shared.actions.flow_messages import forced_stop
from shared.kinds import COMMAND, JOBFLOW, JOBFLOWTEMPLATE
from shared.model.command_message import written
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, jobflow, phase, step_of, targets


def flow_template(scenario: Scenario, name: str, steps: Body, **spec: Any) -> None:
    """A JobFlowTemplate. `spec`: its params and outputs, and other fields of its flow."""
    own = {key: spec.pop(key) for key in ("params", "outputs") if key in spec}
    flow = jobflow(scenario.namespace, name, steps, **spec)["spec"]
    scenario.cluster.apply(
        {
            "apiVersion": JOBFLOWTEMPLATE.api_version,
            "kind": "JobFlowTemplate",
            "metadata": {"name": name, "namespace": scenario.namespace},
            "spec": {"flow": flow, **own},
        }
    )


def inline(steps: Body, **spec: Any) -> Body:
    return {"spec": jobflow("", "", steps, **spec)["spec"]}


def command(scenario: Scenario, name: str, action: str, message: str = "") -> None:
    flow = scenario.get(name)["metadata"]
    target = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": name, "uid": flow["uid"]}
    metadata = {"generateName": f"{name}-", "namespace": scenario.namespace}
    body = {"apiVersion": COMMAND.api_version, "kind": "Command", "metadata": metadata}
    scenario.kube.create(COMMAND, {**body, "action": action, "target": target, "message": message})


def flows(scenario: Scenario) -> dict[str, Body]:
    return {flow["metadata"]["name"]: flow for flow in scenario.kube.list(JOBFLOW, scenario.namespace)}


def test_four_levels_of_flows_pass_params_down_and_outputs_up(scenario: Scenario) -> None:
    scenario.templates("work")
    scenario.templates("speak", termination_message="$(params.word)")
    leaf = {"leaf": {"template": "speak", "outputs": [{"name": "word"}]}}
    param = [{"name": "word", "required": True}]
    up = [{"name": "word", "expression": "steps.leaf.outputs.word"}]
    flow_template(scenario, "level-4", leaf, params=param, outputs=up)
    for level in (3, 2):
        step = {"flow": {"template": f"level-{level + 1}", "params": {"word": "$(params.word)"}}, "outputs": up_name()}
        flow_template(scenario, f"level-{level}", {"leaf": step}, params=param, outputs=up)
    first = {"flow": {"template": "level-2", "params": {"word": "hello"}}, "outputs": up_name()}
    last = {"if": "steps.down.outputs.word == 'hello'"} | targets("down")
    scenario.flow(
        "f", {"down": first, "work": last}, outputs=[{"name": "all", "expression": "steps.down.outputs.word"}]
    )
    flow = scenario.succeeds("f")
    assert flow["status"]["outputs"] == {"all": "hello"}
    assert set(flows(scenario)) == {"f", "f-down", "f-down-leaf", "f-down-leaf-leaf"}
    assert flow["status"]["pods"]["succeeded"] == 2  # that of the innermost flow, and the last step's
    assert step_of(flow, "work")["phase"] == "Completed"


def up_name() -> list[Body]:
    return [{"name": "word"}]


def test_a_loop_of_fifty_flows(scenario: Scenario) -> None:
    scenario.templates("work")
    body = inline(
        {"a": {"template": "work"}}, params=[{"name": "n"}], outputs=[{"name": "n", "expression": "params.n"}]
    )
    loop = {"for": {"range": {"end": 50}}, "flow": {**body, "params": {"n": "$(item)"}}}
    scenario.flow("f", {"s": loop})
    flow = scenario.succeeds("f", seconds=180)
    assert step_of(flow, "s")["iterations"]["completedIndexes"] == "0-49"
    assert flow["status"]["pods"]["succeeded"] == 50
    assert step_of(flow, "s")["outputs"] == {"n": "49"}
    assert set(scenario.jobs()) == {f"f-s-{index}-a" for index in range(50)}


def test_stopping_a_flow_stops_its_sub_flows_whose_clean_up_runs(scenario: Scenario) -> None:
    scenario.templates("work", seconds=600)
    scenario.templates("clean")
    body = inline({"a": {"template": "work"}}, **{"finally": [{"name": "z", "template": "clean"}]})
    scenario.flow("f", {"s": {"flow": body}})
    scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "f-s", lambda flow: phase(flow) == "Running", 30)
    until(lambda: scenario.job_phase("f-s-a") == "Running", 30, lambda: str(scenario.jobs()))
    command(scenario, "f", "TerminateJobFlow")
    flow = scenario.ended("f")
    child = scenario.get("f-s")
    assert (step_of(flow, "s")["phase"], flow["status"]["outcome"]) == ("Terminated", "Terminated")
    assert child["status"]["outcome"] == "Terminated"
    assert step_of(child, "z")["phase"] == "Completed"
    assert scenario.job_phase("f-s-a") == "Terminated"


def test_a_forced_stop_ends_the_clean_up_of_the_flows_below_at_every_level(scenario: Scenario) -> None:
    scenario.templates("clean", "work", seconds=4000)
    tidy = {"finally": [{"name": "z", "template": "clean"}]}
    inner = inline({"a": {"template": "work"}}, **tidy)
    scenario.flow("f", {"s": {"flow": inline({"t": {"flow": inner}}, **tidy)}})
    until(lambda: scenario.job_phase("f-s-t-a") == "Running", 30, lambda: str(scenario.jobs()))
    command(scenario, "f", "TerminateJobFlow")
    until(lambda: scenario.jobs().keys() >= {"f-s-t-z"}, 60, lambda: str(scenario.jobs()))
    command(scenario, "f", "TerminateJobFlow", written(forced_stop(scenario.get("f"))))
    scenario.ended("f")
    assert step_of(scenario.get("f-s-t"), "z")["phase"] in ("Terminated", "Skipped")
    assert step_of(scenario.get("f-s"), "z")["phase"] in ("Terminated", "Skipped")
    assert not {name for name in scenario.jobs() if scenario.job_phase(name) == "Running"}


def test_suspending_a_flow_suspends_what_is_below_it(scenario: Scenario) -> None:
    scenario.templates("work", seconds=20)
    inner = inline({"a": {"template": "work"}, "b": {"template": "work"} | targets("a")})
    scenario.flow("f", {"s": {"flow": inline({"t": {"flow": inner}})}})
    until(lambda: scenario.job_phase("f-s-t-a") == "Running", 30, lambda: str(scenario.jobs()))
    command(scenario, "f", "SuspendJobFlow")
    for name in ("f", "f-s", "f-s-t"):
        scenario.cluster.wait_for(JOBFLOW, scenario.namespace, name, lambda flow: phase(flow) == "Suspended", 30)
    assert scenario.get("f-s-t")["status"]["state"]["reason"] == "ParentSuspended"
    until(lambda: scenario.job_phase("f-s-t-a") == "Completed", 30, lambda: str(scenario.jobs()))
    time.sleep(1)
    assert "f-s-t-b" not in scenario.jobs()
    command(scenario, "f", "ResumeJobFlow")
    scenario.succeeds("f")


def test_retrying_a_flow_makes_its_sub_flow_continue_from_the_step_that_failed(scenario: Scenario) -> None:
    scenario.templates("work")
    scenario.templates("broken", code=1)
    body = inline({"a": {"template": "work"}, "b": {"template": "broken"} | targets("a")})
    scenario.flow("f", {"s": {"flow": body}, "loop": {"flow": body, "for": {"items": ["x", "y"]}}})
    assert phase(scenario.ended("f")) == "Failed"
    scenario.templates("broken")
    command(scenario, "f", "RetryJobFlow")
    scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "f", lambda flow: phase(flow) == "Succeed", 90)
    jobs = set(scenario.jobs())
    assert {"f-s-a", "f-s-b", "f-s-b-r1", "f-loop-0-b-r1", "f-loop-1-b-r1"} <= jobs
    assert not jobs & {"f-s-a-r1", "f-s-r1-a", "f-loop-0-a-r1", "f-loop-0-r1-a"}
    assert set(flows(scenario)) == {"f", "f-s", "f-loop-0", "f-loop-1"}


def test_retry_of_a_step_runs_its_flow_again_from_the_start(scenario: Scenario) -> None:
    scenario.templates("broken", code=1)
    step = {"flow": inline({"a": {"template": "broken"}}), "retry": {"limit": 1, "backoff": {"duration": "1s"}}}
    scenario.flow("f", {"s": step})
    flow = scenario.ended("f")
    assert step_of(flow, "s")["attempts"] == 2
    assert set(flows(scenario)) == {"f", "f-s", "f-s-r1"}
    assert step_of(flow, "s")["reason"] == "StepFailed"


@pytest.mark.parametrize("where", ["step", "flow"])
def test_a_deadline_ends_what_is_below(scenario: Scenario, where: str) -> None:
    scenario.templates("work", seconds=900)
    limit = {"activeDeadlineSeconds": 3}
    step = {"flow": inline({"a": {"template": "work"}})} | (limit if where == "step" else {})
    scenario.flow("f", {"s": step}, **(limit if where == "flow" else {}))
    flow = scenario.ended("f")
    assert "DeadlineExceeded" in (flow["status"]["outcome"], step_of(flow, "s")["reason"])
    assert scenario.get("f-s")["status"]["outcome"] == "Terminated"
    assert scenario.job_phase("f-s-a") == "Terminated"


def test_deleting_a_flow_deletes_everything_below(scenario: Scenario) -> None:
    scenario.templates("work", seconds=600)
    scenario.flow("f", {"s": {"flow": inline({"t": {"flow": inline({"a": {"template": "work"}})}})}})
    until(lambda: scenario.job_phase("f-s-t-a") == "Running", 30, lambda: str(scenario.jobs()))
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")
    scenario.nothing_left()
    until(lambda: not flows(scenario), 30, lambda: str(flows(scenario)))


def test_the_flows_of_a_flow_that_retains_nothing_are_deleted(scenario: Scenario) -> None:
    scenario.templates("work")
    scenario.flow("f", {"s": {"flow": inline({"a": {"template": "work"}})}}, jobRetainPolicy="delete")
    scenario.succeeds("f")
    until(lambda: set(flows(scenario)) == {"f"} and not scenario.jobs(), 30, lambda: str(flows(scenario)))


def test_a_killed_controller_makes_no_flow_twice(scenario: Scenario) -> None:
    chance = random.Random(14)
    scenario.templates("work", seconds=30)
    inner = inline({"a": {"template": "work"}, "b": {"template": "work"} | targets("a")})
    scenario_steps = {"s": {"flow": inner}, "t": {"flow": inner, "for": {"range": {"end": 3}}} | targets("s")}
    with scenario.recorded() as seen:
        scenario.flow("f", scenario_steps)
        for _ in range(10):
            time.sleep(chance.uniform(0.0, 0.6))
            scenario.cluster.kill_controller()
            scenario.cluster.restart_controller()
        scenario.succeeds("f", seconds=180)
        assert seen.creations() == {
            f"{flow}-{step}": 1 for flow in ("f-s", "f-t-0", "f-t-1", "f-t-2") for step in ("a", "b")
        }
    assert set(flows(scenario)) == {"f", "f-s", "f-t-0", "f-t-1", "f-t-2"}


def test_long_names_are_shortened_at_every_level(scenario: Scenario) -> None:
    scenario.templates("work", replicas=2)
    long = "a-step-with-a-name-of-forty-characters-xx"
    inner = inline({long: {"template": "work"}})
    scenario.flow("a-flow-with-a-long-name", {long: {"flow": inline({long: {"flow": inner}})}})
    flow = scenario.succeeds("a-flow-with-a-long-name")
    names = [*flows(scenario), *scenario.jobs(), *(pod["metadata"]["name"] for pod in scenario.pods())]
    assert all(len(name) <= 63 for name in names)
    assert len(set(names)) == 3 + 1 + 2
    assert flow["status"]["pods"]["succeeded"] == 2


def test_templates_that_run_each_other_are_refused_with_the_cycle(scenario: Scenario) -> None:
    flow_template(scenario, "b", {"to-a": {"flow": {"template": "a"}}})
    with pytest.raises(RestError) as refused:
        flow_template(scenario, "a", {"to-b": {"flow": {"template": "b"}}})
    assert "a -> b -> a" in refused.value.message
    assert "spec.flow.flows[0].flow" in refused.value.message


def test_faults_of_a_written_out_flow_are_told_with_their_path(scenario: Scenario) -> None:
    step = {
        "flow": {
            "spec": {"flows": [{"name": "a", "dependsOn": {"targets": ["b"]}, "retries": 3}]},
            "params": {"x": "1"},
        }
    }
    said = scenario.refused(jobflow(scenario.namespace, "f", {"s": step}))
    assert "spec.flows[0].flow.spec.flows[0].dependsOn.targets[0]" in said
    assert "spec.flows[0].flow.spec.flows[0].retries" in said
    assert "spec.flows[0].flow.params[x]" in said
