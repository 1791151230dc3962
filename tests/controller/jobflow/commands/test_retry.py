"""RetryJobFlow with a message: from a step, one step alone, new params, another deadline, without back-off."""

import json
from typing import Any

import pytest

from tests.controller.jobflow.make import FlowCluster, started, step

RETRY = "RetryJobFlow"


def says(**fields: Any) -> str:
    return json.dumps({key.rstrip("_"): value for key, value in fields.items()})


def chain() -> FlowCluster:
    """a -> b -> c, and d alone; all Completed."""
    cluster = started(step("a"), step("b", "a"), step("c", "b"), step("d"), finally_=[step("z")])
    for name in ("f-a", "f-d", "f-b", "f-c", "f-z"):
        cluster.complete(name)
    assert cluster.phase == "Succeed"
    return cluster


def test_from_a_step_runs_it_and_all_after_it_though_they_completed():
    cluster = chain()
    assert cluster.command(RETRY, says(from_="b")) == "Done: steps b, c run again"
    assert cluster.created[5:] == ["f-b-r1"]
    cluster.complete("f-b-r1")
    cluster.complete("f-c-r1")
    cluster.complete("f-z-r1")
    assert (cluster.phase, cluster.step("a").attempts, cluster.step("d").attempts) == ("Succeed", 1, 1)


def test_one_step_alone_leaves_those_after_it():
    cluster = chain()
    assert cluster.command(RETRY, says(step="b")) == "Done: step b runs again"
    cluster.complete("f-b-r1")
    cluster.complete("f-z-r1")
    assert cluster.phase == "Succeed"
    assert cluster.created[5:] == ["f-b-r1", "f-z-r1"]


def test_a_step_of_finally_alone():
    cluster = chain()
    assert cluster.command(RETRY, says(step="z")) == "Done: step z runs again"
    cluster.complete("f-z-r1")
    assert (cluster.phase, cluster.created[5:]) == ("Succeed", ["f-z-r1"])


def test_a_running_step_is_terminated_before_its_next_attempt_begins():
    cluster = started(step("a"), step("b", "a"), step("c", "a"))
    cluster.complete("f-a")
    cluster.run("f-b", "f-c")
    cluster.terminated_by_command = lambda name: None
    cluster.command(RETRY, says(from_="b"))
    assert cluster.created == ["f-a", "f-b", "f-c"]
    cluster.set_job("f-b", "Terminated")
    cluster.settle()
    assert cluster.created == ["f-a", "f-b", "f-c", "f-b-r1"]
    assert cluster.phases()["c"] == "Running"


def test_a_failure_that_is_left_as_it_is_does_not_stop_the_named_step_but_fails_the_flow():
    for strategy in ("Stop", "FailFast", "Continue"):
        cluster = started(step("a"), step("b"), step("c", "b"), failureStrategy=strategy)
        cluster.complete("f-b")
        cluster.complete("f-c")
        cluster.fail("f-a")
        cluster.command(RETRY, says(from_="b"))
        cluster.run("f-b-r1")
        cluster.complete("f-b-r1")
        assert cluster.phases() == {"a": "Failed", "b": "Completed", "c": "Pending"}
        cluster.complete("f-c-r1")
        assert (cluster.phase, cluster.status.state.reason) == ("Failed", "StepFailed")


def test_a_new_failure_stops_steps_though_an_old_one_was_disregarded():
    cluster = started(step("a"), step("b"), step("c"), step("d", "c"))
    cluster.complete("f-b", "f-c")
    cluster.complete("f-d")
    cluster.fail("f-a")
    cluster.command(RETRY, says(from_="c"))
    cluster.command(RETRY, says(step="b"))
    cluster.fail("f-b-r1")
    cluster.complete("f-c-r1")
    assert (cluster.phases()["d"], cluster.step("d").reason) == ("Skipped", "FlowStopped")
    cluster.command(RETRY)  # the failures are run again, and count anew
    assert not any(one.disregarded for one in cluster.status.steps)
    cluster.fail("f-a-r1")
    assert cluster.phase in ("Running", "Failed")
    assert cluster.step("a").disregarded is False


def test_a_step_that_would_be_skipped_again_is_refused_with_the_reason():
    cluster = started(step("a"), step("b", "a"))
    cluster.fail("f-a")
    reported = cluster.command(RETRY, says(step="b"))
    assert reported.startswith("Refused: step b would be Skipped again (UpstreamFailed: a ended Failed)")
    assert (cluster.phase, cluster.created) == ("Failed", ["f-a"])


def test_a_daemon_that_has_ended_serves_again():
    cluster = started(step("db", daemon=True), step("train", "db"), step("report", "train"))
    cluster.run("f-db")
    cluster.run("f-train")
    cluster.fail("f-train")
    assert cluster.phases() == {"db": "Completed", "train": "Failed", "report": "Skipped"}
    cluster.command(RETRY)
    assert cluster.created == ["f-db", "f-train", "f-db-r1"]
    cluster.run("f-db-r1")
    assert cluster.created[-1] == "f-train-r1"


def test_a_named_loop_runs_all_iterations_again_and_a_plain_retry_only_the_others():
    def looped() -> FlowCluster:
        cluster = started(step("l", for_={"items": ["x", "y", "z"]}))
        cluster.complete("f-l-0", "f-l-2")
        cluster.fail("f-l-1")
        return cluster

    plain, named = looped(), looped()
    plain.command(RETRY)
    assert plain.created[3:] == ["f-l-1-r1"]
    named.command(RETRY, says(step="l"))
    assert named.created[3:] == ["f-l-0-r1", "f-l-1-r1", "f-l-2-r1"]


def test_params_are_changed_before_anything_starts():
    cluster = started(
        step("a", if_="params.x == '1'"), step("b"), params=[{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]
    )
    cluster.complete("f-b")
    cluster.fail("f-a")
    reported = cluster.command(RETRY, says(from_="a", params={"x": "0"}))
    assert reported == "Done: step a runs again; param x has the new value"
    assert [(one.name, one.value) for one in cluster.flow.spec.params] == [("x", "0"), ("y", "2")]
    assert cluster.step("a").reason == "ConditionFalse"
    assert cluster.flow.metadata.annotations["flow.jobflow.dev/commanded-by"].startswith("cu")


@pytest.mark.parametrize("code", [403, 422])
def test_a_refused_change_of_params_changes_no_step(code: int):
    cluster = started(step("a"), params=[{"name": "x", "value": "1"}])
    cluster.fail("f-a")
    cluster.refuse["f"] = code
    assert cluster.command(RETRY, says(params={"x": "2"})) == f"Refused: refused with {code}"
    assert (cluster.phase, cluster.created) == ("Failed", ["f-a"])


def test_a_loop_whose_items_follow_a_changed_param_begins_anew():
    cluster = started(
        step("l", for_={"expression": "params.n == '2' ? ['p', 'q'] : ['p', 'q', 'r']"}),
        params=[{"name": "n", "value": "2"}],
    )
    cluster.complete("f-l-0")
    cluster.fail("f-l-1")
    cluster.command(RETRY, says(params={"n": "3"}))
    assert cluster.created[2:] == ["f-l-0-r1", "f-l-1-r1", "f-l-2-r1"]


def test_params_of_a_running_flow_serve_the_steps_that_come():
    cluster = started(step("a"), step("b", "a", if_="params.x == '2'"), params=[{"name": "x", "value": "1"}])
    cluster.run("f-a")
    assert cluster.command(RETRY, says(params={"x": "2"})) == "Done: param x has the new value"
    cluster.complete("f-a")
    assert cluster.created == ["f-a", "f-b"]


def test_a_new_deadline_counts_from_the_retry():
    cluster = started(step("a"), activeDeadlineSeconds=10)
    cluster.wait(10)
    assert (cluster.phase, cluster.status.outcome) == ("Failed", "DeadlineExceeded")
    cluster.wait(1000)
    reported = cluster.command(RETRY, says(activeDeadlineSeconds=7200))
    assert reported == "Done: step a runs again; the flow may take 7200 s from now"
    cluster.wait(7199)
    assert cluster.phase == "Pending"
    cluster.wait(1)
    assert cluster.status.outcome == "DeadlineExceeded"


def test_now_skips_the_back_off_once():
    cluster = started(step("a", retry={"limit": 3, "backoff": {"duration": "1h"}}))
    cluster.fail("f-a")
    assert cluster.command(RETRY).endswith(
        "step a waits for the next attempt, which `jobflow retry --now` starts at once"
    )
    assert cluster.command(RETRY, says(now=True)) == "Done: step a starts without back-off"
    assert cluster.created == ["f-a", "f-a-r1"]
    cluster.fail("f-a-r1")
    cluster.wait(60)
    assert cluster.created == ["f-a", "f-a-r1"]


def test_now_of_a_suspended_flow_is_kept_until_it_is_resumed():
    cluster = started(step("a", retry={"limit": 3, "backoff": {"duration": "1h"}}))
    cluster.fail("f-a")
    cluster.command("SuspendJobFlow")
    assert cluster.command(RETRY, says(now=True)).endswith("once the flow, which is suspended, is resumed")
    assert cluster.created == ["f-a"]
    cluster.command("ResumeJobFlow")
    assert cluster.created == ["f-a", "f-a-r1"]


def test_now_of_a_loop_skips_the_back_off_of_its_iterations():
    cluster = started(step("l", for_={"items": ["x", "y"]}, retry={"limit": 2, "backoff": {"duration": "1h"}}))
    cluster.fail("f-l-0")
    cluster.command(RETRY, says(now=True))
    assert cluster.created == ["f-l-0", "f-l-1", "f-l-0-r1"]
    cluster.fail("f-l-0-r1")
    cluster.wait(60)
    assert cluster.created == ["f-l-0", "f-l-1", "f-l-0-r1"]


def test_a_retry_is_delayed_while_the_flow_is_stopped_and_its_finally_runs():
    cluster = started(step("a"), finally_=[step("z")])
    cluster.command("TerminateJobFlow")
    cluster.run("f-z")
    assert cluster.command(RETRY) == ""
    assert (cluster.phases()["z"], len(cluster.commands)) == ("Running", 1)
    cluster.complete("f-z")
    assert cluster.commands == []
    assert cluster.created == ["f-a", "f-z", "f-a-r1"]


def test_a_message_that_arrives_twice_acts_once():
    cluster = chain()
    first = cluster.command(RETRY, says(from_="b", attempt=1))
    cluster.run("f-b-r1")
    again = cluster.command(RETRY, says(from_="b", attempt=1))
    assert (first, again) == (
        "Done: steps b, c run again",
        "WithoutEffect: step b has begun 2 attempts, not 1",
    )
    assert cluster.phases()["b"] == "Running"


@pytest.mark.parametrize(
    ("message", "reported"),
    [
        (says(from_="x"), 'Refused: there is no step "x"'),
        (says(from_="a", step="b"), "Refused: message.step: may not be set together with from: name one step"),
        (says(attempt=1), "Refused: message.attempt: needs a step: set from or step"),
        (says(params={"p": "1"}), "WithoutEffect: none of the flow's steps has failed"),
        (says(from_="a", params={"p": "1"}), "Refused: the flow has no param p; it has none"),
        (says(params={"p": 1}), "Refused: message.params[...]: expected `str`, got `int`"),
        (says(activeDeadlineSeconds=0), "Refused: message.activeDeadlineSeconds: expected `int` >= 1"),
        ("[1]", "WithoutEffect: none of the flow's steps has failed"),
        ("jobflow retry f", "WithoutEffect: none of the flow's steps has failed"),
    ],
)
def test_messages_that_change_nothing(message: str, reported: str):
    cluster = chain()
    assert cluster.command(RETRY, message).startswith(reported)
    assert (cluster.phase, len(cluster.created)) == ("Succeed", 5)


def test_a_step_that_has_not_run_cannot_run_again():
    cluster = started(step("a"), step("b", "a"))
    assert cluster.command(RETRY, says(from_="b")) == "WithoutEffect: step b has not run yet"
