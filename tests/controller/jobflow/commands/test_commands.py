"""Commands without a message: terminate, retry, restart, suspend (docs/design/jobflow-api.md, section 7)."""

from controller.jobflow.model.observed import FlowCommand
from shared.model.phases import JobPhase
from tests.controller.jobflow.make import started, step


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
