"""Loops with failed iterations: they fail fast, or finish their work."""

from typing import Any

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, jobflow, step_of, targets

CODE = "/tasks/0/template/spec/containers/0/command/2"


def loop(expression: str, *items: str, **more: Any) -> Body:
    """A step whose iterations run the shell command that `expression` makes of `item`."""
    patch = {"jsonPatch": [{"op": "replace", "path": CODE, "expression": expression}]}
    return {"template": "work", "for": {"items": list(items)} | more.pop("loop", {}), "patch": patch, **more}


def test_under_fail_fast_the_first_failed_iteration_stops_the_others_and_their_neighbours(scenario: Scenario) -> None:
    """The flow showed no reason, and all other iterations ran until the last one had ended."""
    scenario.templates("work", "side", seconds=240)
    fan = loop("item == '1' ? 'sleep 2; exit 1' : 'sleep 240'", "0", "1", "0")
    scenario.flow("f", {"fan": fan, "side": ()}, failureStrategy="FailFast")
    flow = scenario.ended("f", seconds=60)
    iterations = step_of(flow, "fan")["iterations"]
    assert flow["status"]["state"]["reason"] == "StepFailed"
    assert (iterations["failedIndexes"], iterations["terminatedIndexes"]) == ("1", "0,2")
    assert step_of(flow, "side")["phase"] == "Terminated"


def test_a_loop_that_may_fail_runs_every_item_one_after_the_other(scenario: Scenario) -> None:
    """Four of five items were not run, and nothing said so."""
    scenario.templates("work", "after")
    train = loop("'exit ' + item", "1", "0", "0", "0", "0", loop={"parallelism": 1}, allowFailure=True)
    after = targets("train") | {"if": "size(steps.train.iterations) == 5"}
    scenario.flow("f", {"train": train, "after": after}, failureStrategy="Continue", parallelism=1)
    flow = scenario.succeeds("f", seconds=90)
    iterations = step_of(flow, "train")["iterations"]
    assert (iterations["failedIndexes"], iterations["completedIndexes"]) == ("0", "1-4")
    assert step_of(flow, "after")["phase"] == "Completed"


def test_the_flow_says_at_once_that_an_iteration_has_failed(scenario: Scenario) -> None:
    scenario.templates("work")
    scenario.flow("f", {"s": loop("'sleep ' + item + '; exit 1'", "1", "600", loop={"parallelism": 2})})
    flow = scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "f", lambda flow: reason(flow) == "StepFailed", 15)
    assert step_of(flow, "s")["phase"] == "Running"
    assert step_of(flow, "s")["reason"] == "IterationFailed"


def test_tolerated_failures_and_skipped_items(scenario: Scenario) -> None:
    scenario.templates("work")
    settings = {"tolerate": "25%", "if": "item != 'none'"}
    scenario.flow("f", {"s": loop("'exit ' + item", "0", "3", "none", "0", loop=settings)})
    flow = scenario.succeeds("f")
    iterations = step_of(flow, "s")["iterations"]
    assert (iterations["failedIndexes"], iterations["skippedIndexes"]) == ("1", "2")
    assert step_of(flow, "s")["message"] == "1 of 4 iterations failed (tolerated)"


def test_settings_of_a_loop_without_effect_are_refused(scenario: Scenario) -> None:
    scenario.templates("work")
    said = scenario.refused(jobflow(scenario.namespace, "f", {"s": loop("item", "1", loop={"tolerate": "110%"})}))
    assert "spec.flows[0].for.tolerate" in said
    assert "at most 100%" in said


def reason(flow: Body) -> str:
    return str(((flow.get("status") or {}).get("state") or {}).get("reason", ""))
