"""Commands with a message: forced stops, retries from a step, with params and deadlines, and what is recorded of them."""

import json
from typing import Any

import pytest

from local.client.blocking import until
from local.client.rest import RestError
from shared.actions.commands import command_for
from shared.kinds import COMMAND, JOBFLOW, JOBFLOWPOLICY
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, jobflow, step_of, targets


def send(scenario: Scenario, name: str, action: str, **message: Any) -> Body:
    """A Command with this JSON as its message."""
    flow = scenario.get(name)
    text = json.dumps({key.rstrip("_"): value for key, value in message.items()}) if message else ""
    return scenario.kube.create(COMMAND, command_for(flow, action, "test", scenario.namespace, text))


def result(scenario: Scenario, name: str, command: Body) -> tuple[str, str]:
    """The result of the Command, once it is in the flow's status."""

    def found() -> tuple[str, str] | None:
        results = (scenario.get(name).get("status") or {}).get("commandResults") or ()
        return next(
            (
                (each["result"], each.get("message", ""))
                for each in results
                if each["uid"] == command["metadata"]["uid"]
            ),
            None,
        )

    return until(found, 30, lambda: f"no result: {scenario.get(name).get('status')}")


def test_a_forced_stop_ends_a_clean_up_that_cannot_run_and_a_plain_one_says_why_not(scenario: Scenario) -> None:
    scenario.templates("work")
    scenario.templates("stuck", image_pull="fail")
    scenario.flow("f", {"a": {"template": "work"}}, **{"finally": [{"name": "z", "template": "stuck"}]})
    scenario.reaches("f", "z", "Pending")
    assert result(scenario, "f", send(scenario, "f", "TerminateJobFlow"))[0] == "WithoutEffect"
    reported = result(scenario, "f", send(scenario, "f", "TerminateJobFlow", finally_={"z": 1}))
    assert reported == ("Done", "step z is ended (finally)")
    flow = scenario.ended("f")
    assert (flow["status"]["state"]["phase"], step_of(flow, "z")["phase"]) == ("Failed", "Terminated")
    scenario.reports_once("CommandWithoutEffect")
    until(lambda: not scenario.kube.list(COMMAND, scenario.namespace), 20, lambda: "Commands are left")


def test_after_its_deadline_a_flow_continues_with_another_deadline_and_other_params(scenario: Scenario) -> None:
    scenario.templates("work")
    scenario.templates("slow", seconds=4000)
    steps = {
        "a": {"template": "work"},
        "b": {"template": "slow", **targets("a"), "if": "params.size != 'none'"},
        "c": {"template": "work", **targets("b", condition="Ended")},
    }
    scenario.flow("f", steps, activeDeadlineSeconds=2, params=[{"name": "size", "value": "large"}])
    flow = scenario.ended("f")
    assert flow["status"]["state"]["reason"] == "DeadlineExceeded"
    command = send(scenario, "f", "RetryJobFlow", params={"size": "none"}, activeDeadlineSeconds=600)
    assert result(scenario, "f", command)[0] == "Done"
    flow = scenario.succeeds("f")
    assert (step_of(flow, "a")["attempts"], step_of(flow, "b")["reason"]) == (1, "ConditionFalse")
    assert flow["spec"]["params"] == [{"name": "size", "value": "none"}]


def test_from_a_step_all_that_follows_runs_again_once_though_the_command_is_sent_twice(scenario: Scenario) -> None:
    scenario.templates("work")
    scenario.flow(
        "f",
        {
            "a": {"template": "work"},
            "b": {"template": "work", **targets("a")},
            "c": {"template": "work", **targets("b")},
        },
    )
    scenario.succeeds("f")
    first = send(scenario, "f", "RetryJobFlow", from_="b", attempt=1)
    assert result(scenario, "f", first) == ("Done", "steps b, c run again")
    scenario.reaches("f", "b", "Running", "Completed")
    assert result(scenario, "f", send(scenario, "f", "RetryJobFlow", from_="b", attempt=1))[0] == "WithoutEffect"
    scenario.succeeds("f")
    assert set(scenario.jobs()) == {"f-a", "f-b", "f-b-r1", "f-c", "f-c-r1"}


def test_a_suspended_flow_and_back_off_are_told(scenario: Scenario) -> None:
    scenario.templates("bad", code=1)
    retry = {"limit": 3, "backoff": {"duration": "1h"}}
    scenario.flow("f", {"a": {"template": "bad", "retry": retry}})
    scenario.reaches("f", "a", "Retrying")
    reported = result(scenario, "f", send(scenario, "f", "RetryJobFlow"))
    assert reported[0] == "WithoutEffect"
    assert "waits for the next attempt" in reported[1]
    assert result(scenario, "f", send(scenario, "f", "SuspendJobFlow"))[0] == "Done"
    reported = result(scenario, "f", send(scenario, "f", "RetryJobFlow", now=True))
    assert reported == ("Done", "step a starts without back-off, once the flow, which is suspended, is resumed")
    assert len(scenario.jobs()) == 1
    assert result(scenario, "f", send(scenario, "f", "ResumeJobFlow")) == ("Done", "the flow continues")
    scenario.waits_for_jobs({"f-a", "f-a-r1"})


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"from_": "bb"}, 'the flow has no such step; did you mean "b"?'),
        ({"params": {"sise": "1"}}, 'the flow has no such param; did you mean "size"?'),
        ({"form": "b"}, "unknown field `form`"),
        ({"activeDeadlineSeconds": -1}, "message.activeDeadlineSeconds"),
    ],
)
def test_a_message_is_judged_when_the_command_is_created(scenario: Scenario, message: Body, words: str) -> None:
    scenario.templates("work")
    scenario.flow("f", {"a": {"template": "work"}, "b": {"template": "work"}}, params=[{"name": "size", "value": "1"}])
    with pytest.raises(RestError) as caught:
        send(scenario, "f", "RetryJobFlow", **message)
    assert words in caught.value.message


def test_a_policy_judges_what_a_retry_changes(scenario: Scenario) -> None:
    scenario.templates("work", code=1)
    scenario.kube.apply(
        JOBFLOW, jobflow(scenario.namespace, "f", {"a": {"template": "work"}}, activeDeadlineSeconds=60)
    )
    scenario.ended("f")
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scenario.namespace}}}
    name = f"short-{scenario.namespace}"
    spec = {"match": here, "limits": {"maxActiveDeadlineSeconds": 100}}
    kind = {"apiVersion": JOBFLOWPOLICY.api_version, "kind": JOBFLOWPOLICY.kind}
    scenario.kube.apply(JOBFLOWPOLICY, {**kind, "metadata": {"name": name}, "spec": spec})
    try:

        def refusal() -> str:
            try:
                send(scenario, "f", "RetryJobFlow", step="a", activeDeadlineSeconds=7200)
            except RestError as error:
                return error.message
            return ""

        said = until(refusal, 20, lambda: "the policy refuses nothing")
        assert "JobFlow f would be refused: spec.activeDeadlineSeconds" in said
    finally:
        scenario.kube.delete(JOBFLOWPOLICY, "", name)
