"""Messages that name the attempts which the sender sees, and results that are read back."""

from typing import Any

import pytest

from shared.actions.flow_messages import forced_stop, retry_of
from shared.actions.results import result_of, why_retry_waits
from shared.model.command_message import RetryMessage, StopMessage, parse_message, written
from shared.model.phases import FlowAction
from shared.model.types import Body

COMMAND: Body = {"metadata": {"name": "c", "uid": "u"}}


def flow(*states: Body, **status: Any) -> Body:
    finals = [{"name": "tidy"}, {"name": "report"}]
    return {"spec": {"flows": [{"name": "a"}], "finally": finals}, "status": {"steps": list(states), **status}}


def test_a_forced_stop_names_the_newest_attempt_of_each_open_step_of_finally():
    tidy = {"name": "tidy", "attempts": 4, "attemptBase": 2}
    assert forced_stop(flow(tidy)).finally_ == {"tidy": 4, "report": 1}
    report = {"name": "report", "attempts": 2, "attemptBase": 2}
    assert forced_stop(flow({**tidy, "completionTime": "2026-01-01T00:00:00Z"}, report)).finally_ == {"report": 3}
    assert forced_stop({"spec": {}}).finally_ == {}


def test_a_forced_stop_names_the_steps_whose_flows_run():
    given = flow({"name": "s", "attempts": 2}, {"name": "done", "attempts": 1, "completionTime": "t"})
    given["spec"]["flows"] = [{"name": name, "flow": {"template": "t"}} for name in ("s", "done", "later")]
    assert forced_stop(given).flows == {"s": 2}


def test_a_retry_of_a_named_step_is_bound_to_the_attempts_that_it_has_begun():
    assert retry_of(flow({"name": "a", "attempts": 3}), from_="a") == RetryMessage(from_="a", attempt=3)
    assert retry_of(flow(), step="a", now=True) == RetryMessage(step="a", attempt=0, now=True)
    assert retry_of(flow()) == RetryMessage()


def test_what_is_written_is_read_again():
    stop, retry = StopMessage(finally_={"tidy": 1}), RetryMessage(step="a", params={"x": "$(y)"}, now=True)
    assert parse_message(FlowAction.TERMINATE, written(stop)) == stop
    assert parse_message(FlowAction.RETRY, written(retry)) == retry
    assert parse_message(FlowAction.SUSPEND, '{"any": 1}') is None


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ({}, None),
        ({"handledCommands": ["other"]}, None),
        ({"handledCommands": ["u"]}, ("Done", "")),
        ({"commandResults": [{"uid": "u", "result": "Refused", "message": "no"}]}, ("Refused", "no")),
    ],
)
def test_the_result_of_a_command(status: Body, wanted: tuple[str, str] | None):
    assert result_of({"status": status}, COMMAND) == wanted


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ({}, ""),
        ({"finallyStartTime": "t"}, "the steps of `finally` run"),
        ({"outcome": "Terminated"}, "the flow is being stopped"),
        ({"outcome": "Terminated", "completionTime": "t"}, ""),
    ],
)
def test_why_a_retry_waits(status: Body, wanted: str):
    assert why_retry_waits({"status": status}) == wanted
