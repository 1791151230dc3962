"""What users read: status, next, events; and editing a flow that runs (docs/design/jobflow-api.md, sections 7 and 8)."""

import msgspec
from msgspec.structs import replace

from controller.jobflow.status.status_limits import limit_status
from shared.model.flow_status import StepCounts
from shared.model.job_status import JobCondition
from shared.model.phases import JobPhase
from shared.policy.quota.flow_standing import flow_standing
from shared.policy.quota.standing import Standing
from tests.controller.jobflow.make import FlowCluster, flow, started, step


def test_a_step_costs_one_status_write_when_its_job_ends_at_once():
    cluster = started(step("a"), step("b", "a"), step("c", "b"))
    for name in ("f-a", "f-b", "f-c"):
        cluster.complete(name)
    assert cluster.writes == 4  # the start, and one a step


def test_a_second_pass_over_the_same_state_writes_nothing():
    cluster = started(step("a"), step("b", "a"))
    cluster.run("f-a")
    decision = cluster.decide().decision
    assert (decision.actions, decision.status, decision.cleanup, decision.notes) == ((), None, (), ())


def test_a_status_write_may_be_deferred_but_never_a_job():
    cluster = started(step("a"), step("b", "a"))
    cluster.set_job("f-a", JobPhase.COMPLETED)
    found = cluster.decide_with(write_after=cluster.now + 0.75)
    assert [action.body["metadata"]["name"] for action in found.decision.actions] == ["f-b"]
    assert (found.decision.status, found.decision.requeue_after) == (None, 0.75)
    assert [str(one.phase) for one in found.next_status.steps] == ["Completed", "Pending"]


def test_the_end_of_a_flow_is_written_at_once():
    cluster = started(step("a"))
    cluster.set_job("f-a", JobPhase.COMPLETED)
    found = cluster.decide_with(write_after=cluster.now + 0.75)
    assert found.decision.status is not None
    assert found.decision.status["state"] == {"phase": "Succeed"}


def test_jobs_are_not_deleted_while_the_status_write_is_deferred():
    cluster = started(step("a", retry={"limit": 1}), step("b"), jobRetainPolicy="delete")
    cluster.fail("f-a")
    cluster.now += 20
    found = cluster.decide_with(write_after=cluster.now + 1)
    assert len(found.decision.actions) == 1
    assert found.decision.cleanup == ()


def test_pods_and_the_failure_rate_are_counted_over_all_jobs():
    cluster = started(
        step("a", retry={"limit": 1, "backoff": {"duration": "1s"}}), step("b"), failureStrategy="Continue"
    )
    cluster.fail("f-a", failed=1, succeeded=2)
    cluster.set_job("f-b", JobPhase.RUNNING, running=3, pending=1, succeeded=1)
    cluster.settle()
    pods = cluster.status.pods
    assert (pods.total, pods.running, pods.succeeded, pods.failed, pods.failure_rate_percent) == (8, 3, 3, 1, 25.0)
    assert (cluster.step("a").pods.succeeded, cluster.step("a").pods.failed) == (2, 1)


def test_times_and_durations():
    cluster = started(step("a"), step("b", "a"))
    cluster.now += 65
    cluster.complete("f-a")
    cluster.now += 3600
    cluster.complete("f-b")
    first, second = cluster.status.steps
    assert (first.start_time, first.completion_time) == ("2027-01-15T08:00:00Z", "2027-01-15T08:01:05Z")
    assert second.start_time == "2027-01-15T08:01:05Z"
    assert (cluster.status.duration, cluster.status.completion_time) == ("1h1m5s", "2027-01-15T09:01:05Z")
    assert cluster.status.conditions["f-a"].running_duration == "1m5s"


def test_running_histories_are_those_of_the_job():
    cluster = started(step("a"))
    conditions = [
        {"status": "Pending", "lastTransitionTime": "2027-01-15T08:00:00Z"},
        {"status": "Running", "lastTransitionTime": "2027-01-15T08:00:10Z"},
    ]
    cluster.set_job("f-a", JobPhase.RUNNING, conditions=conditions)
    cluster.settle()
    first, second = cluster.status.job_status_list[0].running_histories
    assert (first.state, first.end_timestamp, second.state, second.end_timestamp) == (
        "Pending",
        "2027-01-15T08:00:10Z",
        "Running",
        None,
    )


def test_a_restart_of_the_job_keeps_its_earlier_histories():
    """A Job's conditions have one entry for each phase: a restart overwrites the earlier ones."""
    cluster = started(step("a"))
    times = {
        name: f"2027-01-15T08:00:{second:02}Z"
        for name, second in (("t1", 11), ("t2", 12), ("t3", 13), ("t4", 14), ("t5", 15))
    }

    def condition(phase, at):
        return JobCondition(status=phase, last_transition_time=times[at])

    before = (condition(JobPhase.PENDING, "t1"), condition(JobPhase.RUNNING, "t2"))
    cluster.set_job("f-a", JobPhase.RUNNING, conditions=before)
    cluster.settle()
    after = (condition(JobPhase.RESTARTING, "t3"), condition(JobPhase.PENDING, "t4"), condition(JobPhase.RUNNING, "t5"))
    cluster.set_job("f-a", JobPhase.RUNNING, conditions=after)
    for _ in range(2):
        cluster.settle()
    found = cluster.status.job_status_list[0].running_histories
    assert [(each.state, each.start_timestamp, each.end_timestamp) for each in found] == [
        ("Pending", times["t1"], times["t2"]),
        ("Running", times["t2"], times["t3"]),
        ("Restarting", times["t3"], times["t4"]),
        ("Pending", times["t4"], times["t5"]),
        ("Running", times["t5"], None),
    ]


def test_events_of_one_write_are_combined_by_reason():
    cluster = started(*(step(f"s{n}") for n in range(30)))
    assert len(cluster.notes) == 1
    reason, message = cluster.notes[0]
    assert reason == "StepStarted"
    assert message == "30 steps started: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 20 more"


def test_the_first_status_of_a_large_flow_has_counts_alone_and_comes_before_its_jobs():
    cluster = FlowCluster(flow(*(step(f"s{n}") for n in range(200))))
    decision = cluster.turn()
    assert (cluster.created, decision.requeue_after) == ([], 0.0)
    assert (cluster.phase, cluster.status.counts, cluster.status.steps) == ("Pending", StepCounts(waiting=200), ())
    few = cluster.decide_with(most_jobs=50).decision
    counts = {"waiting": 150, "running": 50, "completed": 0, "failed": 0, "skipped": 0}
    assert (len(few.actions), few.status["counts"], few.requeue_after) == (50, counts, 0.0)
    cluster.settle()
    assert (cluster.status.counts, len(cluster.created)) == (StepCounts(running=200), 200)
    assert cluster.next() == {}


def test_a_loop_of_many_iterations_and_a_large_suspended_flow_are_announced_too():
    loop = FlowCluster(flow(step("a", for_={"range": {"end": 90}}, patch=None)))
    loop.turn()
    assert (loop.created, loop.status.counts) == ([], StepCounts(waiting=1))
    suspended = FlowCluster(flow(*(step(f"s{n}") for n in range(60)), suspend=True))
    suspended.turn()
    assert (suspended.phase, suspended.status.progress) == ("Suspended", "0/60")
    suspended.settle()
    assert len(suspended.status.steps) == 60


def test_the_events_of_a_flow():
    cluster = started(step("a", retry={"limit": 1}), step("b", "a"), step("c", if_="false"))
    cluster.fail("f-a")
    cluster.wait(20)
    cluster.complete("f-a-r1")
    cluster.complete("f-b")
    assert [reason for reason, _ in cluster.notes] == [
        "StepStarted",
        "StepSkipped",
        "StepRetrying",
        "StepCompleted",
        "StepStarted",
        "StepCompleted",
        "Succeeded",
    ]


def test_volcanos_lists_hold_the_last_500_finished_jobs_and_fewer_while_a_large_flow_runs():
    cluster = started(*(step(f"s{n}") for n in range(510)))
    cluster.complete(*(f"f-s{n}" for n in range(505)))
    assert len(cluster.status.completed_jobs) == 50
    assert len(cluster.status.pending_jobs) == 5
    assert len(cluster.status.job_status_list) == 55
    assert cluster.status.progress == "505/510"
    cluster.complete(*(f"f-s{n}" for n in range(505, 510)))
    assert len(cluster.status.completed_jobs) == len(cluster.status.job_status_list) == 500


def test_the_status_of_a_thousand_steps_stays_below_a_megabyte():
    cluster = started(*(step(f"a-rather-long-step-name-{n}") for n in range(1000)), failureStrategy="Continue")
    for n in range(1000):
        cluster.set_job(
            f"f-a-rather-long-step-name-{n}",
            JobPhase.FAILED,
            state={"message": "m" * 400},
            taskStatusCount={f"task{t}": {"phase": {"Failed": 1, "Succeeded": 2}} for t in range(10)},
        )
    for _ in range(2):  # the message of the flow follows those of its steps, which the first write shortens
        cluster.turn()
    assert len(msgspec.json.encode(cluster.status)) <= 900 * 1024
    assert cluster.status.progress == "1000/1000"
    assert cluster.status.job_status_list[0].running_histories == ()


def test_a_status_below_the_limit_is_not_shortened():
    cluster = started(step("a"))
    cluster.complete("f-a")
    assert limit_status(cluster.status) is cluster.status


def test_long_messages_are_shortened_before_entries_are_dropped():
    cluster = started(step("a"), step("b"))
    cluster.fail("f-a", state={"message": "m" * 400})
    lighter = limit_status(
        replace(
            cluster.status,
            steps=tuple(replace(one, name=f"{one.name}{n}") for n in range(400) for one in cluster.status.steps),
        ),
        limit=1,
    )
    assert len(lighter.steps) == 800
    assert max(len(one.message) for one in lighter.steps) == 100


def test_a_flow_whose_step_is_retried_is_not_pending_again():
    cluster = started(step("a", retry={"limit": 1}))
    assert cluster.phase == "Pending"
    cluster.run("f-a")
    cluster.fail("f-a")
    cluster.wait(20)
    assert (cluster.phases(), cluster.phase) == ({"a": "Pending"}, "Running")


def test_a_flow_that_was_stopped_while_nothing_ran_says_why():
    cluster = started(step("a"), step("b", "a"), step("z"), finally_=[step("end")], parallelism=1)
    cluster.complete("f-a")
    cluster.command("SuspendJobFlow")
    cluster.complete("f-b")
    cluster.command("TerminateJobFlow")
    assert cluster.status.state.message == "its last steps run (finally)"
    cluster.complete("f-end")
    assert (cluster.status.state.reason, cluster.status.state.message) == ("Terminated", "the flow was terminated")


def test_the_reason_that_blocks_a_job_shows_on_its_step_and_flow_while_it_lasts() -> None:
    cluster = started(step("a"), step("b", "a"))
    missing = {"reason": "VolumeClaimNotFound", "message": "PersistentVolumeClaim d does not exist"}
    cluster.set_job("f-a", JobPhase.PENDING, state=missing)
    cluster.settle()
    reported = "Job f-a: PersistentVolumeClaim d does not exist"
    assert (cluster.step("a").phase, cluster.step("a").reason, cluster.step("a").message) == (
        "Pending",
        "VolumeClaimNotFound",
        reported,
    )
    assert (cluster.status.state.reason, cluster.status.state.message) == ("VolumeClaimNotFound", f"step a: {reported}")
    cluster.run("f-a")
    assert (cluster.step("a").reason, cluster.step("a").message, cluster.status.state.reason) == ("", "", "")


def test_the_usual_pending_time_of_a_job_causes_no_write() -> None:
    cluster = started(step("a"))
    cluster.set_job("f-a", JobPhase.PENDING, state={"reason": "WaitingForPodGroup", "message": "waits in queue q"})
    cluster.settle()
    assert (cluster.reasons(), cluster.status.state.reason) == ({}, "")


def test_a_loop_shows_the_reason_that_blocks_an_iteration() -> None:
    cluster = started(step("a", for_={"items": ["x", "y"]}))
    cluster.set_job("f-a-1", JobPhase.PENDING, state={"reason": "FailedCreate", "message": "exceeded quota"})
    cluster.settle()
    assert (cluster.step("a").reason, cluster.step("a").message) == ("FailedCreate", "Job f-a-1: exceeded quota")
    assert cluster.status.state.reason == "FailedCreate"
    cluster.run("f-a-1")
    assert (cluster.reasons(), cluster.status.state.reason) == ({}, "")
    cluster.complete("f-a-0", "f-a-1")
    assert (cluster.phase, cluster.reasons()) == ("Succeed", {})


def test_a_step_whose_job_a_quota_holds_says_so_and_the_flow_keeps_its_own_place() -> None:
    cluster = FlowCluster(flow(step("a")))
    cluster.settle()
    why = "at most 1 Job of x may run at once"
    cluster.set_job("f-a", JobPhase.PENDING, state={"reason": "QuotaExceeded", "message": why})
    cluster.settle()
    assert (cluster.step("a").reason, cluster.step("a").message) == ("JobHeld", f"Job f-a: {why}")
    assert cluster.status.state.reason == "JobHeld"
    body = msgspec.to_builtins(cluster.flow)
    assert flow_standing(body) is Standing.HOLDS, "QuotaExceeded would mean that a quota holds the flow itself"


def test_a_refused_job_shows_in_next_and_in_one_warning_and_does_not_count_as_running() -> None:
    cluster = FlowCluster(flow(step("a"), step("b", "a"), step("c")))
    cluster.refuse["f-a"] = 403
    cluster.settle()
    assert cluster.next() == {"a": ("Job f-a rejected: refused with 403",), "b": ("waits for a",)}
    counts = cluster.status.counts
    assert (counts.waiting, counts.running) == (2, 1)
    cluster.wait(1)
    cluster.wait(2)
    assert (
        cluster.notes.count(("JobRejected", "step a cannot have its Job for now: JobRejected: refused with 403")) == 1
    )
    del cluster.refuse["f-a"]
    cluster.wait(60)
    counts = cluster.status.counts
    assert (counts.waiting, counts.running) == (1, 2)


def test_a_step_waiting_for_an_aborted_job_names_it() -> None:
    cluster = started(step("a"), step("b", "a"), step("c", for_={"range": {"end": 2}}), step("d", "c"))
    cluster.set_job("f-a", JobPhase.ABORTED)
    cluster.set_job("f-c-1", JobPhase.ABORTED)
    cluster.settle()
    assert cluster.next() == {
        "b": ("waits for a (Job f-a is Aborted; resume it to continue)",),
        "d": ("waits for c (Job f-c-1 is Aborted; resume it to continue)",),
    }
    assert cluster.status.state.reason == "JobAborted"
    cluster.run("f-a", "f-c-1")
    assert cluster.next() == {"b": ("waits for a",), "d": ("waits for c",)}
    assert cluster.status.state.reason == ""


def test_thousands_of_iterations_that_wait_for_another_attempt_fit_and_continue():
    loop = {"range": {"end": 2000}, "maxIterations": 2000}
    cluster = started(step("a", for_=loop, retry={"limit": 1}))
    for number in range(2000):
        cluster.set_job(f"f-a-{number}", JobPhase.FAILED, state={"message": "m" * 500})
    cluster.turn()
    assert len(msgspec.json.encode(cluster.status)) <= 900 * 1024
    assert len(cluster.step("a").iterations.retries) == 2000
    cluster.now += 20
    cluster.settle()
    assert len(cluster.created) == 4000


def test_next_is_empty_for_a_flow_that_is_being_deleted():
    cluster = started(step("a"), finally_=[step("z")])
    metadata = replace(cluster.flow.metadata, deletion_timestamp="2027-01-15T08:00:05Z")
    cluster.flow = replace(cluster.flow, metadata=metadata)
    cluster.settle()
    assert (cluster.phase, cluster.next(), cluster.status.next_summary) == ("Terminating", {}, "")


def test_counts_of_zero_are_written_for_the_columns_of_kubectl():
    cluster = started(step("a"))
    cluster.set_job("f-a", JobPhase.COMPLETED)
    status = cluster.decide_with().decision.status
    assert status is not None
    assert status["counts"] == {"waiting": 0, "running": 0, "completed": 1, "failed": 0, "skipped": 0}
