"""After a failure, at the deadline, while suspended: what still runs (docs/design/jobflow-api.md, sections 1, 3.3)."""

import pytest

from shared.model.phases import JobPhase
from tests.controller.jobflow.make import started, step

BRANCHES = (
    step("bad"),
    step("long"),
    step("after", "long"),
    step("below", "bad"),
    step("rescue", "bad", condition="Failed"),
    step("sweep", "long", condition="Ended"),
)


def test_strategy_stop_starts_only_failure_handlers_and_lets_running_steps_end():
    cluster = started(*BRANCHES)
    cluster.fail("f-bad")
    assert cluster.reasons() == {"bad": "JobFailed", "after": "FlowStopped", "below": "UpstreamFailed"}
    assert cluster.created == ["f-bad", "f-long", "f-rescue"]
    assert (cluster.phase, cluster.status.state.reason) == ("Running", "StepFailed")
    cluster.complete("f-long")
    assert cluster.created[-1] == "f-sweep"
    cluster.complete("f-rescue", "f-sweep")
    assert (cluster.phase, cluster.status.outcome) == ("Failed", "Failed")
    assert cluster.status.state.message.startswith("step bad failed: JobFailed")


def test_continue_runs_everything_that_does_not_depend_on_the_failure():
    cluster = started(*BRANCHES, failureStrategy="Continue")
    cluster.fail("f-bad")
    cluster.complete("f-long")
    assert cluster.created == ["f-bad", "f-long", "f-rescue", "f-after", "f-sweep"]
    cluster.complete("f-rescue", "f-after", "f-sweep")
    assert cluster.phase == "Failed"
    assert cluster.phases()["after"] == "Completed"


def test_fail_fast_terminates_what_runs():
    cluster = started(*BRANCHES, failureStrategy="FailFast")
    cluster.fail("f-bad")
    assert cluster.phases()["long"] == "Terminated"
    assert cluster.step("long").reason == "FlowStopped"
    assert cluster.created == ["f-bad", "f-long", "f-rescue", "f-sweep"]
    cluster.complete("f-rescue", "f-sweep")
    assert cluster.phase == "Failed"


def test_the_flow_names_the_step_that_failed_and_not_those_that_were_terminated_for_it():
    loop = step("loop", for_={"items": ["a", "b"]})
    cluster = started(loop, step("side"), failureStrategy="FailFast")
    terminate = cluster.terminated_by_command
    cluster.terminated_by_command = lambda name: None if name == "f-loop-1" else terminate(name)
    cluster.fail("f-loop-0")
    assert cluster.phases() == {"loop": "Running", "side": "Terminated"}
    assert cluster.status.state.message.startswith("step loop failed (and 1 more): IterationFailed")
    assert "step side was terminated: FlowStopped" in " ".join(text for _, text in cluster.notes)


def test_an_allowed_failure_does_not_fail_the_flow():
    cluster = started(step("a", allowFailure=True), step("b", "a"))
    cluster.fail("f-a")
    cluster.complete("f-b")
    assert cluster.phases() == {"a": "Failed", "b": "Completed"}
    assert cluster.phase == "Succeed"


def test_a_job_that_its_own_policy_terminated_fails_the_flow():
    cluster = started(step("a"), step("b", "a"))
    cluster.set_job("f-a", JobPhase.TERMINATED)
    cluster.settle()
    assert cluster.phases() == {"a": "Terminated", "b": "Skipped"}
    assert cluster.phase == "Failed"


FINALLY = (step("clean"), step("report"))


@pytest.mark.parametrize("end", ["complete", "fail", "terminate", "deadline"])
def test_finally_runs_after_each_kind_of_end(end):
    cluster = started(step("a"), step("b", "a"), finally_=list(FINALLY), activeDeadlineSeconds=100)
    if end == "complete":
        cluster.complete("f-a")
        cluster.complete("f-b")
    elif end == "fail":
        cluster.fail("f-a")
    elif end == "terminate":
        cluster.command("TerminateJobFlow")
    else:
        cluster.wait(100)
    assert cluster.created[-2:] == ["f-clean", "f-report"]
    assert cluster.phase == "Running"
    cluster.complete("f-clean", "f-report")
    outcome = {"complete": "Succeed", "fail": "Failed", "terminate": "Terminated", "deadline": "DeadlineExceeded"}[end]
    assert cluster.status.outcome == outcome
    assert cluster.phase == ("Succeed" if end == "complete" else "Failed")


def test_finally_is_next_while_the_last_steps_run():
    cluster = started(step("a"), finally_=list(FINALLY))
    assert cluster.next() == {"clean": ("waits for a",), "report": ("waits for a",)}


def test_a_finally_step_that_fails_makes_the_flow_failed():
    cluster = started(step("a"), finally_=[step("clean")])
    cluster.complete("f-a")
    cluster.fail("f-clean")
    assert (cluster.phase, cluster.status.state.reason) == ("Failed", "StepFailed")


def test_finally_may_read_the_outcome():
    cluster = started(
        step("a"), finally_=[step("sad", if_="flow.outcome == 'Failed'"), step("glad", if_="flow.outcome == 'Succeed'")]
    )
    cluster.fail("f-a")
    assert cluster.created == ["f-a", "f-sad"]


def test_at_the_deadline_running_jobs_are_terminated_and_the_rest_is_skipped():
    cluster = started(step("a"), step("b", "a"), step("c", "a", condition="Ended"), activeDeadlineSeconds=100)
    assert cluster.decide().decision.requeue_after == 100
    cluster.wait(99)
    assert cluster.phases()["a"] == "Pending"
    cluster.wait(1)
    assert cluster.phases() == {"a": "Terminated", "b": "Skipped", "c": "Skipped"}
    assert cluster.reasons() == {"a": "DeadlineExceeded", "b": "FlowStopped", "c": "FlowStopped"}
    assert (cluster.phase, cluster.status.state.reason) == ("Failed", "DeadlineExceeded")
    assert "DeadlineExceeded" in [reason for reason, _ in cluster.notes]


def test_a_flow_that_ends_before_its_deadline_is_not_late():
    cluster = started(step("a"), activeDeadlineSeconds=100)
    cluster.complete("f-a")
    cluster.wait(1000)
    assert cluster.phase == "Succeed"


def test_a_suspended_flow_starts_no_job_and_running_jobs_continue():
    cluster = started(step("a"), step("b", "a"))
    cluster.command("SuspendJobFlow")
    assert cluster.phase == "Suspended"
    cluster.complete("f-a")
    assert cluster.created == ["f-a"]
    assert cluster.next() == {"b": ("suspended",)}
    cluster.command("ResumeJobFlow")
    assert cluster.created == ["f-a", "f-b"]
    assert {"Suspended", "Resumed"} <= {reason for reason, _ in cluster.notes}


@pytest.mark.parametrize("code", [403, 422])
def test_a_refused_resume_is_reported_and_the_next_command_is_tried(code):
    cluster = started(step("a"), step("b", "a"))
    cluster.command("SuspendJobFlow")
    cluster.refuse["f"] = code  # a policy has come since
    cluster.command("ResumeJobFlow")
    assert ("CommandRefused", f"Command c3: ResumeJobFlow was refused: refused with {code}") in cluster.notes
    assert (cluster.phase, cluster.commands) == ("Suspended", [])
    cluster.complete("f-a")
    assert cluster.phases() == {"a": "Completed", "b": "Waiting"}


def test_start_time_of_a_flow_created_suspended_is_its_resume():
    cluster = started(step("a"), suspend=True, activeDeadlineSeconds=100)
    cluster.wait(1000)
    assert (cluster.phase, cluster.status.start_time) == ("Suspended", None)
    cluster.command("ResumeJobFlow")
    assert cluster.status.start_time == "2027-01-15T08:16:40Z"
    assert cluster.created == ["f-a"]


def test_a_failed_step_says_why_it_was_not_tried_again():
    retry = {"limit": 1, "backoff": {"duration": "10s"}, "if": "attempt.exitCode != 2"}
    cluster = started(step("a", retry=retry), step("b", retry=retry), step("c"), failureStrategy="Continue")
    cluster.fail("f-a", code=2)
    assert cluster.step("a").message == "Job f-a is Failed; not retried: retry.if is false"
    cluster.fail("f-b")
    cluster.wait(10)
    cluster.fail("f-b-r1")
    assert cluster.step("b").message == "Job f-b-r1 is Failed; not retried: retry.limit (1) is used up"
    cluster.fail("f-c")
    assert cluster.step("c").message == "Job f-c is Failed"


def test_a_step_whose_retries_a_deadline_cuts_off_says_so():
    cluster = started(step("a", retry={"limit": 5, "backoff": {"duration": "1m"}}), activeDeadlineSeconds=30)
    cluster.fail("f-a")
    cluster.wait(31)
    assert cluster.step("a").message == "Job f-a is Failed; not retried: the flow's deadline has passed"


def test_an_attempt_that_fails_while_the_flow_is_stopped_says_why_it_is_the_last():
    cluster = started(step("a", retry={"limit": 5}), step("b"), failureStrategy="FailFast")
    cluster.set_job("f-b", JobPhase.FAILED)
    cluster.set_job("f-a", JobPhase.FAILED)
    cluster.settle()
    assert "not retried: a step has failed (failureStrategy FailFast)" in cluster.step("a").message


def test_steps_behind_stopped_ones_were_stopped_and_have_no_failed_step_before_them():
    cluster = started(step("a"), step("b", "a"), step("c", "b"), step("d", "a", condition="Failed"))
    cluster.command("TerminateJobFlow")
    assert cluster.reasons() == {"a": "Terminated", "b": "FlowStopped", "c": "FlowStopped", "d": "FlowStopped"}
    assert (cluster.step("b").message, cluster.step("c").message) == ("the flow was terminated", "b was stopped")


def test_a_step_behind_a_failed_one_and_a_skipped_one_has_a_failed_step_before_it():
    cluster = started(step("a"), step("bad", "a", allowFailure=False), step("b", "bad"), step("c", "bad", "b"))
    cluster.complete("f-a")
    cluster.fail("f-bad")
    assert (cluster.reasons()["c"], cluster.step("c").message) == ("UpstreamFailed", "bad, b ended Failed and Skipped")
