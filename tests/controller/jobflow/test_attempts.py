"""retry and outputs (docs/design/jobflow-api.md, sections 5.3 and 5.4)."""

import pytest

from shared.model.phases import JobPhase
from shared.timestamp import rfc3339
from tests.controller.jobflow.make import FlowCluster, started, step

OUT = [{"name": "grade", "key": "grade"}]


# --- retry ----------------------------------------------------------------------------------------------------------

BACKOFF = {"limit": 2, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "1m"}}


def test_attempts_follow_each_other_with_growing_pauses():
    cluster = started(step("a", retry=BACKOFF))
    cluster.fail("f-a", code=3)
    assert str(cluster.step("a").phase) == "Retrying"
    assert cluster.next() == {"a": (f"retry 1/2 at {rfc3339(cluster.now + 10)}",)}
    cluster.wait(9)
    assert cluster.created == ["f-a"]
    cluster.wait(1)
    assert cluster.created == ["f-a", "f-a-r1"]
    cluster.fail("f-a-r1", code=4)
    assert cluster.next() == {"a": (f"retry 2/2 at {rfc3339(cluster.now + 20)}",)}
    cluster.wait(20)
    cluster.fail("f-a-r2", code=5)
    found = cluster.step("a")
    assert (str(found.phase), found.attempts, found.exit_code) == ("Failed", 3, 5)
    assert found.jobs == ("f-a", "f-a-r1", "f-a-r2")
    assert cluster.status.failed_jobs == ("f-a", "f-a-r1", "f-a-r2")


def test_the_pause_is_computed_from_recorded_times_not_from_memory():
    cluster = started(step("a", retry=BACKOFF))
    cluster.fail("f-a")
    cluster.now += 1000  # the controller was down
    cluster.settle()
    assert cluster.created == ["f-a", "f-a-r1"]


def test_an_end_recorded_in_the_future_does_not_delay_the_next_attempt():
    """Seen in the fault runs: the next attempt waited for the hour that the clock had lost."""
    cluster = started(step("a", retry=BACKOFF))
    cluster.now += 3600
    cluster.fail("f-a")
    assert cluster.created == ["f-a"]
    cluster.now -= 3600
    cluster.settle()
    assert cluster.created == ["f-a", "f-a-r1"]


def test_the_flows_retry_is_the_default_of_its_steps():
    cluster = started(step("a"), step("b", retry={"limit": 0}), retry=BACKOFF, failureStrategy="Continue")
    cluster.fail("f-a", "f-b")
    assert cluster.phases() == {"a": "Retrying", "b": "Failed"}


CONDITIONS = {"attempt.exitCode == 137": True, "attempt.exitCode != 137": False, "attempt.number < 1": True}


@pytest.mark.parametrize(("condition", "again"), CONDITIONS.items(), ids=CONDITIONS.keys())
def test_a_retry_may_be_conditional(condition, again):
    cluster = started(step("a", retry={"limit": 1, "if": condition}))
    cluster.fail("f-a", code=137)
    assert str(cluster.step("a").phase) == ("Retrying" if again else "Failed")


def test_an_attempt_that_takes_too_long_is_terminated_and_tried_again():
    cluster = started(step("a", activeDeadlineSeconds=60, retry={"limit": 1}))
    cluster.run("f-a")
    assert cluster.decide().decision.requeue_after == 60
    cluster.wait(60)
    assert str(cluster.step("a").phase) == "Retrying"
    assert cluster.step("a").last_attempt.reason == "DeadlineExceeded"
    cluster.wait(20)
    cluster.wait(60)
    assert (str(cluster.step("a").phase), cluster.step("a").reason) == ("Failed", "DeadlineExceeded")


def test_a_deleted_job_is_tried_again():
    cluster = started(step("a", retry={"limit": 1}))
    cluster.vanish("f-a")
    assert cluster.step("a").last_attempt.reason == "JobDeleted"
    cluster.wait(20)
    cluster.complete("f-a-r1")
    assert cluster.phase == "Succeed"


def test_with_delete_a_failed_attempt_is_removed_when_the_next_has_begun():
    cluster = started(step("a", retry={"limit": 1}), step("b"), jobRetainPolicy="delete")
    cluster.fail("f-a")
    cluster.wait(20)
    assert cluster.deleted == ["f-a"]
    assert set(cluster.bodies) == {"f-a-r1", "f-b"}


# --- outputs --------------------------------------------------------------------------------------------------------

MESSAGES = {
    "a key of a JSON object": ({"name": "n", "key": "k"}, '{"k": "v"}', "v"),
    "a number": ({"name": "n", "key": "k"}, '{"k": 1.5}', "1.5"),
    "a bool": ({"name": "n", "key": "k"}, '{"k": true}', "true"),
    "a list": ({"name": "n", "key": "k"}, '{"k": [1, "a"]}', '[1,"a"]'),
    "the whole message, stripped": ({"name": "n"}, "  v\n", "v"),
}


@pytest.mark.parametrize(("output", "message", "want"), MESSAGES.values(), ids=MESSAGES.keys())
def test_an_output_is_taken_from_the_termination_message(output, message, want):
    cluster = started(step("a", outputs=[output]))
    cluster.complete("f-a", message=message)
    assert cluster.step("a").outputs == {"n": want}


MISSING = {
    "no message": (None, "left no termination message"),
    "no JSON": ("text", "is no JSON object"),
    "no object": ("[1]", "is no JSON object"),
    "no such key": ('{"x": 1}', 'has no key "grade"'),
    "too long": ('{"grade": "' + "x" * 5000 + '"}', "longer than 4096 bytes"),
}


@pytest.mark.parametrize(("message", "want"), MISSING.values(), ids=MISSING.keys())
def test_a_missing_output_fails_the_step_without_another_attempt(message, want):
    cluster = started(step("a", outputs=OUT, retry={"limit": 3}))
    cluster.complete("f-a", message=message)
    assert cluster.step("a").reason == "OutputMissing"
    assert want in cluster.step("a").message


def test_a_flow_holds_at_most_64_kib_of_outputs():
    steps = [step(f"s{n}", outputs=[{"name": "n"}]) for n in range(17)]
    cluster = started(*steps, failureStrategy="Continue")
    cluster.complete(*(f"f-s{n}" for n in range(17)), message="x" * 4096)
    reasons = [one.reason for one in cluster.status.steps]
    assert reasons == [""] * 16 + ["OutputMissing"]


def test_the_message_says_why_a_job_was_terminated():
    cluster = started(step("a", activeDeadlineSeconds=5), step("b"), failureStrategy="FailFast")
    cluster.wait(5)
    cluster.settle()
    assert cluster.step("a").message == (
        "Job f-a was terminated: the attempt took longer than activeDeadlineSeconds (5 s)"
    )
    assert cluster.step("b").message == "Job f-b was terminated: a step has failed (failureStrategy FailFast)"


def test_the_message_of_a_stopped_flow_names_the_stop_before_failures():
    cluster = started(step("a"))
    cluster.command("TerminateJobFlow")
    said = "the flow was terminated"
    assert cluster.step("a").message == f"Job f-a was terminated: {said}"
    assert cluster.status.state.message == f"{said}; step a terminated: Terminated: Job f-a was terminated: {said}"


def test_a_step_that_waits_for_its_next_attempt_shows_why_the_last_one_failed():
    cluster = started(step("a", retry={"limit": 1}), step("b"), parallelism=2)
    cluster.fail("f-a", state={"reason": "PodFailed", "message": "out of memory"})
    cluster.command("SuspendJobFlow")
    cluster.wait(20)
    a = cluster.step("a")
    assert (str(a.phase), a.reason, a.message) == ("Retrying", "PodFailed", "out of memory")
    assert cluster.next() == {"a": ("suspended",)}


# --- why a Job does not run reaches its step ----------------------------------------------------------------------------


def waiting(cluster: FlowCluster, phase: JobPhase, reason: str, message: str) -> tuple[str, str]:
    """Reason and message of step a while its Job says this."""
    cluster.set_job("f-a", phase, state={"reason": reason, "message": message})
    cluster.settle()
    return cluster.step("a").reason, cluster.step("a").message


def test_the_step_of_a_pending_job_shows_the_cause_after_five_seconds():
    cluster = started(step("a"), step("b", "a"))
    said = "the gang needs 8 gpus"
    assert waiting(cluster, JobPhase.PENDING, "WaitingForPodGroup", said) == ("", "")
    assert cluster.decide().decision.requeue_after == 5
    cluster.wait(5)
    assert (cluster.step("a").reason, cluster.step("a").message) == ("WaitingForPodGroup", f"Job f-a: {said}")
    assert cluster.status.state.message == f"step a: Job f-a: {said}"
    assert cluster.next() == {"b": (f"waits for a (Job f-a: {said})",)}
    cluster.run("f-a")
    assert (cluster.step("a").reason, cluster.step("a").message) == ("", "")


def test_a_problem_of_a_running_job_updates_the_message_at_once_and_raises_one_event():
    cluster = started(step("a"))
    for restarts in ("once", "2 times", "3 times"):
        said = f"of 1 pod: 1 running; pod f-a-0: container c restarted {restarts}"
        assert waiting(cluster, JobPhase.RUNNING, "PodProblem", said) == ("PodProblem", f"Job f-a: {said}")
    assert [reason for reason, _ in cluster.notes].count("PodProblem") == 1
    assert waiting(cluster, JobPhase.RUNNING, "PodsRunning", "of 1 pod: 1 running") == ("", "")


def test_the_loop_shows_why_the_job_of_an_iteration_stays_pending():
    cluster = started(step("a", for_={"items": ["x", "y"]}))
    cluster.set_job("f-a-1", JobPhase.PENDING, state={"reason": "PodsPending", "message": "ErrImagePull"})
    cluster.wait(6)
    assert (cluster.step("a").reason, cluster.step("a").message) == ("PodsPending", "Job f-a-1: ErrImagePull")


# --- outputs of attempts that failed --------------------------------------------------------------------------------------


def fail_with(cluster: FlowCluster, name: str, message: str) -> None:
    cluster.messages[name] = {"": message}
    cluster.fail(name)


def test_a_failed_step_has_the_outputs_that_its_pod_left_for_those_that_react_to_it():
    two = [{"name": "grade", "key": "grade"}, {"name": "other", "key": "other"}]
    cluster = started(
        step("a", outputs=two),
        step("b", "a", condition="Failed", if_='steps.a.outputs.grade == "F" && steps.a.outputs.other == ""'),
        finally_=[step("z", if_='steps.a.outputs.grade == "F"')],
    )
    fail_with(cluster, "f-a", '{"grade": "F"}')
    assert cluster.step("a").outputs == {"grade": "F"}
    cluster.complete("f-b")
    assert cluster.created == ["f-a", "f-b", "f-z"]


def test_a_failed_attempt_has_its_own_outputs_and_the_next_one_replaces_them():
    cluster = started(step("a", outputs=OUT, retry={"limit": 2}))
    fail_with(cluster, "f-a", '{"grade": "D"}')
    assert cluster.step("a").outputs == {"grade": "D"}
    cluster.wait(10)
    cluster.fail("f-a-r1")
    assert cluster.step("a").outputs == {}
    cluster.wait(20)
    cluster.complete("f-a-r2", message='{"grade": "A"}')
    assert cluster.step("a").outputs == {"grade": "A"}


def test_a_completed_job_without_all_outputs_keeps_those_that_are_there():
    cluster = started(step("a", outputs=[*OUT, {"name": "x", "key": "x"}]))
    cluster.complete("f-a", message='{"grade": "A"}')
    assert (cluster.reasons()["a"], cluster.step("a").outputs) == ("OutputMissing", {"grade": "A"})


def test_failed_iterations_have_outputs_too():
    cluster = started(
        step("a", for_={"items": ["x", "y"]}, outputs=OUT),
        step("b", "a", condition="Failed", if_='steps.a.iterations[1].outputs.grade == "F"'),
        failureStrategy="Continue",
    )
    cluster.complete("f-a-0", message='{"grade": "A"}')
    fail_with(cluster, "f-a-1", '{"grade": "F"}')
    assert cluster.step("a").outputs == {"grade": "F"}
    assert "f-b" in cluster.created
