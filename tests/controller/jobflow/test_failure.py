"""After a failure, at the deadline, on command: what still runs (docs/design/jobflow-api.md, sections 1, 3.3, 7)."""

import pytest

from controller.jobflow.model.observed import FlowCommand
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


def test_terminate_ends_running_steps_and_skips_the_rest():
    cluster = started(step("a", retry={"limit": 3}), step("b", "a"), step("c", "a", condition="Ended"))
    cluster.command("TerminateJobFlow")
    assert cluster.phases() == {"a": "Terminated", "b": "Skipped", "c": "Skipped"}
    assert (cluster.phase, cluster.status.outcome) == ("Failed", "Terminated")
    assert cluster.created == ["f-a"]
    assert cluster.commands == []


def test_a_suspended_flow_that_is_stopped_is_not_said_to_start_steps_again():
    cluster = started(step("a"), step("b", "a"))
    cluster.command("SuspendJobFlow")
    cluster.command("TerminateJobFlow")
    assert (cluster.phase, cluster.status.outcome) == ("Failed", "Terminated")
    assert "Resumed" not in [reason for reason, _ in cluster.notes]


def test_a_job_that_does_not_end_gets_a_terminate_command_every_30_seconds():
    cluster = started(step("a"))
    cluster.terminated_by_command = lambda name: None
    cluster.command("TerminateJobFlow")
    sent = []
    for _ in range(7):
        sent.append([action.kind.kind for action in cluster.decide().decision.actions])
        cluster.wait(10)
    assert sent == [[], [], [], [], [], [], []]  # settle() has acted at each due moment
    assert cluster.ordered == {"uid-1": cluster.now - 10}


def test_a_terminate_command_recorded_in_the_future_is_sent_again():
    cluster = started(step("a"))
    cluster.terminated_by_command = lambda name: None
    cluster.command("TerminateJobFlow")
    cluster.wait(-3600)
    assert cluster.ordered == {"uid-1": cluster.now}


def test_an_aborted_job_does_not_hold_up_the_end():
    cluster = started(step("a"))
    cluster.set_job("f-a", JobPhase.ABORTED)
    cluster.settle()
    cluster.command("TerminateJobFlow")
    assert (cluster.phases(), cluster.phase) == ({"a": "Terminated"}, "Failed")


def test_retry_runs_failed_steps_and_those_skipped_because_of_them():
    cluster = started(step("a"), step("b", "a"), step("c", "b"), step("onfail", "b", condition="Failed"))
    cluster.complete("f-a")
    cluster.fail("f-b")
    cluster.complete("f-onfail")
    assert cluster.phase == "Failed"
    cluster.wait(50)
    cluster.command("RetryJobFlow")
    assert cluster.created == ["f-a", "f-b", "f-onfail", "f-b-r1"]
    assert cluster.phase == "Running"
    assert cluster.status.start_time == "2027-01-15T08:00:50Z"
    cluster.complete("f-b-r1")
    cluster.complete("f-c")
    assert (cluster.phase, cluster.status.progress) == ("Succeed", "4/4")
    assert cluster.step("b").attempts == 2


def test_retry_runs_finally_again():
    cluster = started(step("a"), finally_=[step("clean")])
    cluster.fail("f-a")
    cluster.complete("f-clean")
    cluster.command("RetryJobFlow")
    cluster.complete("f-a-r1")
    assert cluster.created == ["f-a", "f-clean", "f-a-r1", "f-clean-r1"]
    cluster.complete("f-clean-r1")
    assert cluster.phase == "Succeed"


def test_retry_of_a_flow_that_succeeded_changes_nothing():
    cluster = started(step("a"))
    cluster.complete("f-a")
    cluster.command("RetryJobFlow")
    assert (cluster.phase, cluster.created) == ("Succeed", ["f-a"])


def test_restart_runs_everything_again_under_the_next_numbers():
    cluster = started(step("a"), step("b", "a"))
    cluster.complete("f-a")
    cluster.complete("f-b")
    cluster.command("RestartJobFlow")
    assert cluster.created == ["f-a", "f-b", "f-a-r1"]
    cluster.complete("f-a-r1")
    cluster.complete("f-b-r1")
    assert cluster.phase == "Succeed"


def test_restart_in_the_middle_waits_for_what_runs_to_be_terminated():
    cluster = started(step("a"))
    cluster.terminated_by_command = lambda name: None
    cluster.command("RestartJobFlow")
    assert cluster.created == ["f-a"]
    assert cluster.next() == {"a": ("waits for an abandoned Job to end",)}
    cluster.set_job("f-a", JobPhase.TERMINATED)
    cluster.settle()
    assert cluster.created == ["f-a", "f-a-r1"]
    cluster.complete("f-a-r1")
    assert cluster.phase == "Succeed"


def test_a_command_that_is_seen_twice_acts_once():
    cluster = started(step("a"))
    cluster.complete("f-a")
    cluster.command("RestartJobFlow")
    seen = cluster.status.handled_commands
    assert len(seen) == 1
    from controller.jobflow.model.observed import FlowCommand

    cluster.commands = [FlowCommand("again", seen[0], "RestartJobFlow")]
    cluster.complete("f-a-r1")
    assert cluster.created == ["f-a", "f-a-r1"]
    assert cluster.commands == []


def test_an_unknown_command_is_reported_and_deleted():
    cluster = started(step("a"))
    cluster.command("Dance")
    assert cluster.commands == []
    assert [reason for reason, _ in cluster.notes] == ["StepStarted", "UnknownCommand"]


def test_a_command_for_an_earlier_flow_of_the_name_is_reported_and_deleted_without_effect():
    from controller.jobflow.model.observed import FlowCommand

    cluster = started(step("a"))
    cluster.commands = [FlowCommand("late", "cu", "TerminateJobFlow", target_uid="earlier")]
    cluster.complete("f-a")
    assert (cluster.phase, cluster.commands, cluster.status.handled_commands) == ("Succeed", [], ())
    assert "StaleCommand" in [reason for reason, _ in cluster.notes]


def test_suspend_and_resume_at_once_are_carried_out_one_after_the_other():
    cluster = started(step("a"))
    cluster.commands = [
        FlowCommand("c1", "u1", "SuspendJobFlow", "2027-01-15T08:00:00Z"),
        FlowCommand("c2", "u2", "ResumeJobFlow", "2027-01-15T08:00:01Z"),
        FlowCommand("c3", "u3", "SuspendJobFlow", "2027-01-15T08:00:02Z"),
    ]
    cluster.settle()
    assert [(one.name, one.result) for one in cluster.status.command_results] == [(f"c{n}", "Done") for n in (1, 2, 3)]
    assert cluster.flow.spec.suspend


def test_a_status_write_lost_after_the_change_of_the_spec_leaves_the_command_done():
    cluster = started(step("a"))
    cluster.commands = [FlowCommand("c1", "u1", "SuspendJobFlow")]
    cluster._act(cluster.decide().decision)
    cluster.settle()
    assert [(one.name, one.result) for one in cluster.status.command_results] == [("c1", "Done")]
    assert "CommandWithoutEffect" not in [reason for reason, _ in cluster.notes]


def test_one_pass_handles_at_most_as_many_commands_as_the_status_remembers():
    cluster = started(step("a"))
    cluster.commands = [FlowCommand(f"c{n:02}", f"u{n:02}", "RestartJobFlow") for n in range(25)]
    found = cluster.decide().decision
    assert len([action for action in found.cleanup if action.kind.kind == "Command"]) == 20
    assert found.requeue_after == 0
    cluster.settle()
    assert (cluster.commands, len(cluster.status.handled_commands)) == ([], 20)


def test_an_abandoned_job_takes_a_slot_until_it_has_ended():
    cluster = started(step("a"), step("b"), parallelism=1)
    cluster.terminated_by_command = lambda name: None
    cluster.command("RestartJobFlow")
    assert cluster.created == ["f-a"]
    cluster.set_job("f-a", JobPhase.TERMINATED)
    cluster.settle()
    assert cluster.created == ["f-a", "f-a-r1"]


def test_restart_does_not_wait_for_an_aborted_job():
    cluster = started(step("a"), step("b", "a"), parallelism=1, jobRetainPolicy="delete")
    cluster.set_job("f-a", JobPhase.ABORTED)
    cluster.settle()
    cluster.terminated_by_command = lambda name: None
    cluster.command("RestartJobFlow")
    assert (cluster.created, cluster.ordered) == (["f-a", "f-a-r1"], {})
    assert cluster.deleted == ["f-a"]


def test_a_daemon_with_an_aborted_job_completes_when_no_step_needs_it():
    cluster = started(step("d", daemon=True), step("c", "d"))
    cluster.run("f-d")
    cluster.set_job("f-d", JobPhase.ABORTED)
    cluster.settle()
    cluster.terminated_by_command = lambda name: None
    cluster.complete("f-c")
    assert (cluster.phase, cluster.phases()) == ("Succeed", {"d": "Completed", "c": "Completed"})


def test_a_refused_terminate_command_is_retried_with_growing_pauses():
    cluster = started(step("a"))
    cluster.refuse["f-a-terminate"] = 500
    cluster.command("TerminateJobFlow")
    for pause in (1, 2, 4):
        assert cluster.ordered == {}
        assert cluster.last.decision.requeue_after == pause
        cluster.now += pause
        cluster.settle()
    del cluster.refuse["f-a-terminate"]
    cluster.now += 8
    cluster.settle()
    assert cluster.phase == "Failed"


# --- why a step did not run, or not again --------------------------------------------------------------------------------


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
