"""TerminateJobFlow with a message that names attempts of `finally`, and what is recorded of Commands."""

import json
from typing import Any

import pytest

from shared.model.flow_status import FlowState, JobFlowStatus
from shared.model.phases import FlowPhase
from tests.controller.jobflow.make import FlowCluster, flow, started, step

STOP = "TerminateJobFlow"


def force(**attempts: int) -> str:
    return json.dumps({"finally": attempts})


def cleaning(**tidy: Any) -> FlowCluster:
    """A flow whose step has ended and whose `finally` runs."""
    cluster = started(step("a"), finally_=[step("tidy", **tidy), step("report")])
    cluster.complete("f-a")
    cluster.run("f-tidy")
    return cluster


def test_the_named_attempt_of_finally_is_terminated_and_the_others_continue():
    cluster = cleaning()
    assert cluster.command(STOP, force(tidy=1)) == "Done: step tidy is ended (finally)"
    assert cluster.phases() == {"a": "Completed", "tidy": "Terminated", "report": "Pending"}
    assert cluster.step("tidy").reason == "Terminated"
    assert cluster.step("tidy").message == "Job f-tidy was terminated: a Command has ended it"
    cluster.complete("f-report")
    assert (cluster.phase, cluster.status.outcome) == ("Failed", "Failed")


def test_an_attempt_that_the_sender_had_not_seen_fail_is_ended_too_and_no_other_follows():
    cluster = cleaning(retry={"limit": 5, "backoff": {"duration": "1s"}})
    cluster.fail("f-tidy")
    cluster.wait(1)
    assert cluster.step("tidy").attempts == 2
    cluster.command(STOP, force(tidy=1))
    cluster.wait(100)
    assert cluster.step("tidy").phase == "Terminated"
    assert [name for name in cluster.created if "tidy" in name] == ["f-tidy", "f-tidy-r1"]


def test_a_wait_for_the_next_attempt_ends_too():
    cluster = cleaning(retry={"limit": 5, "backoff": {"duration": "1h"}})
    cluster.fail("f-tidy")
    assert cluster.step("tidy").phase == "Retrying"
    cluster.command(STOP, force(tidy=1))
    assert cluster.step("tidy").phase == "Failed"
    assert cluster.step("tidy").message.endswith("not retried: a Command has ended it")


def test_a_late_command_does_not_end_the_clean_up_of_a_later_run():
    cluster = cleaning()
    cluster.fail("f-tidy")
    cluster.complete("f-report")
    cluster.command("RestartJobFlow")
    cluster.complete("f-a-r1")
    cluster.run("f-tidy-r1")
    reported = cluster.command(STOP, force(tidy=1))
    assert reported == ("WithoutEffect: attempt 1 of step tidy is not of this run, which began with attempt 2")
    assert cluster.step("tidy").phase == "Running"
    assert cluster.command(STOP, force(tidy=2)) == "Done: step tidy is ended (finally)"


def test_a_running_flow_is_stopped_and_its_finally_does_not_begin():
    cluster = started(step("a"), step("b", "a"), finally_=[step("tidy")])
    cluster.run("f-a")
    reported = cluster.command(STOP, force(tidy=1))
    assert reported == "Done: the Jobs of step a are terminated; step tidy is ended (finally)"
    assert cluster.phases() == {"a": "Terminated", "b": "Skipped", "tidy": "Skipped"}
    assert cluster.phase == "Failed"


def test_a_flow_whose_clean_up_was_not_started_has_failed():
    cluster = started(step("a"), step("b"), finally_=[step("tidy"), step("more")])
    cluster.templates.pop("tidy")
    cluster.complete("f-a", "f-b")
    assert cluster.next() == {"tidy": ("template tidy not found",)}
    cluster.command(STOP, force(tidy=1))
    assert cluster.phases()["tidy"] == "Skipped"
    cluster.complete("f-more")
    assert cluster.phase == "Failed"


def test_the_iterations_of_a_loop_in_finally_end():
    cluster = started(step("a"), finally_=[step("tidy", for_={"items": ["x", "y"], "parallelism": 1})])
    cluster.complete("f-a")
    cluster.run("f-tidy-0")
    cluster.command(STOP, force(tidy=1))
    assert cluster.step("tidy").phase == "Terminated"
    assert cluster.created == ["f-a", "f-tidy-0"]


def test_the_same_message_again_changes_nothing():
    cluster = cleaning()
    cluster.terminated_by_command = lambda name: None
    cluster.command(STOP, force(tidy=1))
    assert cluster.command(STOP, force(tidy=1)) == "WithoutEffect: step tidy is being ended already"
    cluster.complete("f-report")
    assert cluster.phase == "Running"


@pytest.mark.parametrize(
    ("message", "reported"),
    [
        (force(a=1), "Refused: a: no such step in `finally`"),
        (force(gone=1), "Refused: gone: no such step in `finally`"),
        (force(tidy=0), "Refused: message.finally[...]: expected `int` >= 1"),
        ('{"finally": ["tidy"]}', "Refused: message.finally: expected `object`, got `array`"),
        ('{"finaly": {"tidy": 1}}', "Refused: message: object contains unknown field `finaly`"),
        ('{"finally": {"tidy": 1}', "Refused: message: input data was truncated"),
    ],
)
def test_a_message_that_says_nothing_useful_is_refused(message: str, reported: str):
    cluster = cleaning()
    assert cluster.command(STOP, message).startswith(reported)
    assert [reason for reason, _ in cluster.notes].count("CommandRefused") == 1
    assert cluster.phases()["tidy"] == "Running"


def test_commands_on_a_flow_that_volcano_finished_are_answered_and_deleted():
    cluster = FlowCluster(flow(step("a"), status=JobFlowStatus(state=FlowState(phase=FlowPhase.FAILED))))
    cluster.command("RetryJobFlow")
    assert (cluster.commands, cluster.writes) == ([], 0)
    assert [text for reason, text in cluster.notes if reason == "CommandWithoutEffect"] == [
        "Command c1: RetryJobFlow has no effect: the flow was finished by Volcano's controller, and is never changed"
    ]


def test_only_steps_with_a_job_are_said_to_run():
    cluster = started(step("a"), step("b", "a"), finally_=[step("tidy")])
    cluster.fail("f-a")
    cluster.complete("f-tidy")
    cluster.command("RetryJobFlow")
    assert cluster.command("SuspendJobFlow") == "Done: nothing new starts; step a continues"
    assert cluster.command(STOP) == "Done: the Jobs of step a are terminated"


def test_the_last_five_results_are_kept():
    cluster = started(step("a"))
    for _ in range(3):
        cluster.command("SuspendJobFlow")
        cluster.command("ResumeJobFlow")
    results = [(one.action, one.result, one.message) for one in cluster.status.command_results]
    assert results[-2:] == [
        ("SuspendJobFlow", "Done", "nothing new starts; step a continues"),
        ("ResumeJobFlow", "Done", "the flow continues"),
    ]
    assert len(results) == 5
