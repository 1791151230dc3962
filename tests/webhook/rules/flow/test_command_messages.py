"""Commands on JobFlows whose message is JSON: judged with the change of the flow that they cause."""

import json
from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from shared.names import COMMANDED_BY, FLOW_TEMPLATE
from tests.webhook.make import body, faults, flow, known, review, step
from webhook.subject.lookups import Lookups
from webhook.verdict.missing import flow_of_command

TEMPLATE = body(
    kinds.JOBFLOWTEMPLATE,
    "nightly",
    {
        "params": [{"name": "size", "enum": ["small", "large"]}, {"name": "day", "pattern": "[0-9-]+"}],
        "flow": {"flows": [step("a")]},
    },
)
POLICY = body(
    kinds.JOBFLOWPOLICY,
    "short",
    {"limits": {"maxActiveDeadlineSeconds": 3600}, "match": {}},
)


def failed(**spec: Any) -> Body:
    """A flow of two steps, of which the first has failed; `z` is its clean-up."""
    params = [
        {"name": "size", "value": "small"},
        {"name": "day", "value": "2026-01-01"},
        {"name": "free", "value": "x"},
    ]
    made = flow(step("a"), step("b", "a"), **{"finally": [step("z")], "params": params, **spec})
    steps = [{"name": "a", "phase": "Failed", "attempts": 1}, {"name": "b", "phase": "Skipped"}]
    metadata = {**made["metadata"], "uid": "u", "annotations": {FLOW_TEMPLATE: "nightly"}}
    return {**made, "metadata": metadata, "status": {"state": {"phase": "Failed"}, "steps": steps}}


def order(action: str, message: Any, uid: str = "u") -> Body:
    target = {"apiVersion": kinds.JOBFLOW.api_version, "kind": "JobFlow", "name": "f", "uid": uid}
    text = message if isinstance(message, str) else json.dumps(message)
    return body(kinds.COMMAND, "c", None, action=action, target=target, message=text)


def world(*more: Body) -> Lookups:
    return known(failed(), TEMPLATE, *more)


MESSAGES: dict[str, tuple[str, Any, list[str]]] = {
    "text for people": ("RetryJobFlow", "jobflow retry f", []),
    "a step": ("RetryJobFlow", {"from": "b", "attempt": 0, "now": True}, []),
    "a step of finally": ("RetryJobFlow", {"step": "z"}, []),
    "params and deadline": (
        "RetryJobFlow",
        {"params": {"size": "large", "free": "$(y)"}, "activeDeadlineSeconds": 9},
        [],
    ),
    "a stop that ends finally": ("TerminateJobFlow", {"finally": {"z": 1}}, []),
    "an unknown step": (
        "RetryJobFlow",
        {"from": "bb"},
        ['message.from: Not found: "bb": the flow has no such step; did you mean "b"?'],
    ),
    "a step that is not in finally": (
        "TerminateJobFlow",
        {"finally": {"a": 1}},
        ['message.finally[a]: Not found: "a": the flow has no such step of `finally`; did you mean "z"?'],
    ),
    "a stop of a flow that no step runs": (
        "TerminateJobFlow",
        {"flows": {"bb": 1}},
        ['message.flows[bb]: Not found: "bb": the flow has no such step of `flows`; did you mean "b"?'],
    ),
    "an unknown param": (
        "RetryJobFlow",
        {"params": {"sise": "large"}},
        ['message.params[sise]: Not found: "sise": the flow has no such param; did you mean "size"?'],
    ),
    "values that the template forbids": (
        "RetryJobFlow",
        {"params": {"size": "huge", "day": "today"}},
        [
            'message: Forbidden: JobFlow f would be refused: spec.params[0].value: Invalid value: "huge": param "size" must be one of small, large',
            'message: Forbidden: JobFlow f would be refused: spec.params[1].value: Invalid value: "today": param "day" must match the pattern [0-9-]+',
        ],
    ),
    "a misspelt field": (
        "RetryJobFlow",
        '{"form": "b"}',
        [
            'message: Invalid value: "{\\"form\\": \\"b\\"}": object contains unknown field `form`; RetryJobFlow takes JSON with from, step, attempt, params, activeDeadlineSeconds, now'
        ],
    ),
    "both kinds of step": (
        "RetryJobFlow",
        '{"from":"a","step":"b"}',
        [
            'message.step: Invalid value: "{\\"from\\":\\"a\\",\\"step\\":\\"b\\"}": may not be set together with from: name one step'
        ],
    ),
    "JSON of an action that takes none": ("SuspendJobFlow", '{"x": 1}', []),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_message_with(case: str) -> None:
    action, message, wanted = MESSAGES[case]
    assert faults(order(action, message), lookups=world()) == wanted


def test_a_policy_judges_the_flow_as_the_command_would_change_it() -> None:
    reported = faults(order("RetryJobFlow", {"activeDeadlineSeconds": 7200}), lookups=world(POLICY))
    assert len(reported) == 1
    assert reported[0].startswith("message: Forbidden: JobFlow f would be refused: spec.activeDeadlineSeconds")


def test_a_flow_that_is_not_known_is_judged_by_the_controller() -> None:
    assert faults(order("RetryJobFlow", {"from": "x"}, uid="later"), lookups=world()) == []
    assert faults(order("RetryJobFlow", {"from": "x"}), lookups=known()) == []


def test_the_flow_is_read_before_a_message_is_judged() -> None:
    assert [each.name for each in flow_of_command(review(order("RetryJobFlow", {"from": "a"})))] == ["f"]
    assert flow_of_command(review(order("RetryJobFlow", "text"))) == ()
    assert flow_of_command(review(failed())) == ()


def retried(old: Body, **spec: Any) -> Body:
    annotations = {**old["metadata"]["annotations"], COMMANDED_BY: "command-uid"}
    return {**old, "metadata": {**old["metadata"], "annotations": annotations}, "spec": {**old["spec"], **spec}}


def test_only_the_change_of_a_retry_may_change_params_of_a_flow_that_has_ended() -> None:
    old = failed()
    params = [{"name": "size", "value": "large"}, *old["spec"]["params"][1:]]
    assert faults(retried(old, params=params, activeDeadlineSeconds=60), old) == []
    assert len(faults({**old, "spec": {**old["spec"], "params": params}}, old)) == 1
    again = retried(old)
    assert len(faults({**again, "spec": {**again["spec"], "params": params}}, again)) == 1
    assert len(faults(retried(old, parallelism=2), old)) == 1
