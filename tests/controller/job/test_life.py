"""The state machine: each case of the case list with the result that the decisions give."""

import pytest

from controller.gang_api import UngatedBackend
from controller.job.model.observed import JobSettings
from shared.kinds import PODGROUP
from tests.controller.job.make import after, job, policy, task
from tests.controller.job.toy import Toy, started, toy


def test_a_new_job_is_pending_with_its_group_and_no_pods() -> None:
    cluster = toy()
    cluster.auto_inqueue = False
    cluster.settle()
    assert (cluster.phase, cluster.reason) == ("Pending", "WaitingForPodGroup")
    assert [condition.status for condition in cluster.status.conditions] == ["Pending"]
    assert cluster.group is not None
    assert cluster.group["metadata"]["name"] == "demo-7d2f"
    assert cluster.group["spec"]["minMember"] == 2
    assert cluster.group["spec"]["minTaskMember"] == {"w": 2}
    assert cluster.pods == {}


def test_pods_are_made_once_the_group_is_inqueue_and_the_reason_says_so() -> None:
    cluster = toy().settle()
    assert cluster.shown == {"w-0": "Pending", "w-1": "Pending"}
    assert (cluster.phase, cluster.reason, cluster.status.pending) == ("Pending", "Inqueue", 2)


def test_a_job_whose_pods_cannot_be_scheduled_reports_it() -> None:
    cluster = toy().settle()
    assert cluster.group is not None
    text = {"type": "Unschedulable", "status": "True", "message": "2 pods are not bound to nodes: no node has room"}
    cluster.group["status"]["conditions"] = [text]
    cluster.settle()
    state = cluster.status.state
    assert (state.reason, state.message) == ("Inqueue", f"0 pods run, 2 are needed; {text['message']}")


def test_a_job_of_one_task_runs_to_completion_in_few_writes() -> None:
    cluster = toy(task(replicas=1)).settle().run().settle().succeed().settle()
    assert cluster.phases == ["Pending", "Running", "Completed"]
    assert cluster.writes == [
        "create PodGroup demo-7d2f",
        "status",
        "create Pod demo-w-0",
        "status",
        "status",
        "status",
        "delete PodGroup demo-7d2f",
    ]
    assert cluster.shown == {"w-0": "Succeeded"}
    assert (cluster.status.succeeded, cluster.status.task_status_count["w"].phase) == (1, {"Succeeded": 1})


def test_a_finished_job_does_not_change_when_its_pods_do() -> None:
    cluster = started().succeed().settle()
    stored = cluster.status
    cluster.lose("w-0").wait(3600).settle().lose("w-1").settle()
    assert cluster.status == stored
    assert len([name for name, _ in cluster.created if name == "demo-w-0"]) == 1


def test_one_running_pod_is_enough_with_min_available_one() -> None:
    cluster = toy(minAvailable=1).settle().run("w-0").settle()
    assert cluster.phase == "Running"
    cluster.pend("w-0").settle()
    assert cluster.phase == "Pending"


def test_a_failure_that_puts_the_goal_out_of_reach_fails_the_job_at_once() -> None:
    cluster = started().fail("w-0").settle()
    assert (cluster.phase, cluster.reason) == ("Failed", "MinAvailableUnreachable")
    assert cluster.shown == {"w-0": "Failed", "w-1": "Terminating"}
    assert (cluster.status.failed, cluster.status.terminating) == (1, 1)
    cluster.vanish().settle()
    assert (cluster.status.failed, cluster.status.terminating) == (1, 0)


ENDS = {
    "job minimum above what succeeded": (
        {"minAvailable": 2, "tasks": task(minAvailable=1)}, ["w-0"], ["w-1"], "Failed", "MinAvailableUnreachable",
    ),
    "job minimum reached": ({"minAvailable": 1, "tasks": task()}, ["w-0"], ["w-1"], "Completed", "PodsCompleted"),
    "task minimum binds when the job's covers the sum": (
        {"tasks": task(replicas=3, minAvailable=2), "minAvailable": 2}, ["w-0"], ["w-1", "w-2"], "Failed",
        "MinAvailableUnreachable",
    ),
    "minSuccess reached at once": (
        {"tasks": task(replicas=4), "minSuccess": 2}, ["w-0", "w-1"], [], "Completed", "MinSuccessReached",
    ),
    "minSuccess out of reach": (
        {"tasks": task(replicas=4, minAvailable=1), "minAvailable": 1, "minSuccess": 3}, [], ["w-0", "w-1"], "Failed",
        "MinSuccessUnreachable",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "good", "bad", "phase", "reason"), ENDS.values(), ids=ENDS.keys())
def test_how_a_job_ends(spec: dict, good: list[str], bad: list[str], phase: str, reason: str) -> None:
    tasks = spec.pop("tasks")
    cluster = started(tasks, **spec)
    spec["tasks"] = tasks
    if good:
        cluster.succeed(*good)
    if bad:
        cluster.fail(*bad)
    cluster.settle()
    assert (cluster.phase, cluster.reason) == (phase, reason)


def test_min_success_stops_the_rest_and_keeps_what_succeeded() -> None:
    cluster = started(task(replicas=4), minSuccess=2).succeed("w-0", "w-1").settle()
    assert cluster.phase == "Completed"
    assert cluster.shown == {"w-0": "Succeeded", "w-1": "Succeeded", "w-2": "Terminating", "w-3": "Terminating"}
    assert cluster.names(PODGROUP) == []
    cluster.vanish().settle()
    assert (cluster.status.succeeded, cluster.status.terminating, cluster.status.running) == (2, 0, 0)


def test_three_retries_are_three_restarts_and_the_fourth_failure_ends_it() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed")], maxRetry=3)
    while cluster.phase == "Running":
        cluster.fail("w-0").settle().vanish().settle()
        pending = [name for name, shown in cluster.shown.items() if shown == "Pending"]
        if pending:
            cluster.run(*pending).settle()
    rounds = ["Restarting", "Pending", "Running"]
    assert cluster.phases == ["Pending", "Running", *rounds * 3, "Failed"]
    assert (cluster.status.retry_count, cluster.reason) == (3, "MaxRetryExceeded")
    assert cluster.shown == {"w-0": "Failed"}
    assert len(cluster.created) == 8


def test_max_retry_zero_means_no_restart() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed")], maxRetry=0).fail("w-0").settle()
    assert (cluster.phase, cluster.status.retry_count) == ("Failed", 0)


def test_absent_max_retry_means_three() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed")]).fail("w-0").settle()
    assert cluster.status.state.message.endswith("RestartJob (restart 1 of 3)") or cluster.status.retry_count == 1


def test_abort_deletes_what_runs_keeps_what_succeeded_and_waits_for_the_rest() -> None:
    cluster = started(task(replicas=3), minAvailable=1).succeed("w-0").settle().order("AbortJob").settle()
    assert (cluster.phase, cluster.reason) == ("Aborting", "CommandIssued")
    assert cluster.shown == {"w-0": "Succeeded", "w-1": "Terminating", "w-2": "Terminating"}
    assert cluster.names(PODGROUP) == []
    cluster.vanish().settle()
    assert (cluster.phase, cluster.status.retry_count, cluster.status.version) == ("Aborted", 0, 1)
    assert (cluster.status.succeeded, cluster.status.terminating) == (1, 0)


def test_resume_runs_everything_but_what_succeeded_in_a_new_group() -> None:
    cluster = started(task(replicas=3), minAvailable=1).succeed("w-0").fail("w-1").settle()
    cluster.order("AbortJob").settle().vanish().settle()
    old_group = cluster.phase
    assert old_group == "Aborted"
    cluster.order("ResumeJob").settle()
    assert cluster.shown == {"w-0": "Succeeded", "w-1": "Pending", "w-2": "Pending"}
    assert cluster.phases[-3:] == ["Aborted", "Restarting", "Pending"] or cluster.phases[-2:] == [
        "Restarting",
        "Running",
    ]
    assert cluster.status.retry_count == 0
    cluster.run("w-1", "w-2").settle().succeed("w-1", "w-2").settle()
    assert (cluster.phase, cluster.status.succeeded, cluster.status.failed) == ("Completed", 3, 0)
    assert [name for name, _ in cluster.created].count("demo-w-0") == 1


def test_resume_has_no_effect_on_a_running_or_a_terminated_job() -> None:
    cluster = started().order("ResumeJob").settle()
    assert (cluster.phase, cluster.text("CommandIgnored")) == (
        "Running", ["ResumeJob has no effect while the Job is Running"],
    )  # fmt: skip
    cluster.order("TerminateJob").settle().vanish().settle().order("ResumeJob").settle()
    assert cluster.phase == "Terminated"


def test_abort_wins_over_a_restart_that_is_under_way() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed")]).fail("w-0").settle()
    assert cluster.phase == "Restarting"
    cluster.order("AbortJob").settle().vanish().settle()
    assert cluster.phase == "Aborted"


def test_terminate_before_pods_exist() -> None:
    cluster = toy()
    cluster.auto_inqueue = False
    cluster.settle().order("TerminateJob").settle()
    assert cluster.phases == ["Pending", "Terminating", "Terminated"]
    assert cluster.names(PODGROUP) == []


def test_a_deleted_success_is_remembered() -> None:
    cluster = started(task(replicas=2), minAvailable=2).succeed("w-0").settle().lose("w-0").settle()
    assert (cluster.phase, cluster.status.succeeded, cluster.shown) == ("Running", 1, {"w-1": "Running"})
    cluster.succeed("w-1").settle()
    assert (cluster.phase, cluster.status.succeeded) == ("Completed", 2)


def test_scaling_up_appends_pods_and_raises_the_groups_minimum() -> None:
    cluster = started().scale(4, min_available=4).settle()
    assert cluster.group is not None
    assert cluster.group["spec"]["minMember"] == 4
    assert cluster.group["spec"]["minTaskMember"] == {"w": 4}
    assert sorted(cluster.shown) == ["w-0", "w-1", "w-2", "w-3"]
    assert cluster.status.min_available == 4


def test_scaling_down_deletes_the_highest_indexes_and_is_no_eviction() -> None:
    cluster = started(task(replicas=3), minAvailable=1, policies=[policy("RestartJob", "PodEvicted")]).scale(2).settle()
    assert cluster.shown == {"w-0": "Running", "w-1": "Running", "w-2": "Terminating"}
    cluster.vanish().settle()
    assert (cluster.phase, cluster.status.retry_count, cluster.status.running) == ("Running", 0, 2)
    cluster.scale(3).settle()
    assert (cluster.shown["w-2"], cluster.status.retry_count) == ("Pending", 0)


def test_scaling_to_nothing_keeps_the_phase_and_back_up_works() -> None:
    cluster = started(minAvailable=1).scale(0, min_available=0).settle().vanish().settle()
    assert (cluster.phase, cluster.shown) == ("Running", {})
    assert sorted(cluster.scale(1, min_available=1).settle().shown) == ["w-0"]


def test_a_job_being_deleted_is_left_to_garbage_collection() -> None:
    cluster = started()
    cluster.job["metadata"]["deletionTimestamp"] = "2026-01-02T03:00:00Z"
    cluster.lose("w-0").order("AbortJob")
    decision = cluster.decide()
    assert (decision.writes, decision.status) == ((), None)


def test_a_pod_that_succeeds_before_it_was_seen_running_completes_the_job() -> None:
    cluster = toy(task(replicas=1)).settle().succeed().settle()
    assert cluster.phases == ["Pending", "Completed"]
    assert [condition.status for condition in cluster.status.conditions] == ["Pending", "Running", "Completed"]


def test_the_expected_end_follows_from_the_estimate() -> None:
    cluster = started(runningEstimate="1h30m")
    assert cluster.status.start_time == "2026-01-02T03:00:00Z"
    assert cluster.status.expected_end_time == "2026-01-02T04:30:00Z"


def test_the_running_duration_is_of_running_and_stays_after_the_end() -> None:
    cluster = toy().wait(100).settle().run().settle().wait(75).succeed().settle().wait(500).settle()
    assert cluster.status.running_duration == "1m15s"
    assert cluster.status.completion_time == "2026-01-02T03:02:55Z"


def test_counters_alone_are_written_once_a_second_at_most() -> None:
    cluster = Toy(job(task(replicas=50), minAvailable=1), JobSettings(count_seconds=1.0)).settle().run("w-0").wait(2)
    cluster.look()
    before = cluster.writes.count("status")
    for index in range(1, 41):
        cluster.run(f"w-{index}").wait(0.05)
        cluster.look()
    assert cluster.writes.count("status") - before <= 2
    assert cluster.wake is not None
    cluster.wait(1).settle()
    assert cluster.status.running == 41


def test_a_phase_is_written_at_once_though_counters_were_just_written() -> None:
    cluster = Toy(job(task(replicas=2)), JobSettings(count_seconds=1.0)).settle().run().settle().succeed()
    cluster.look()
    assert cluster.phase == "Completed"


def test_the_stages_of_a_pipeline_do_not_make_the_job_pending_again() -> None:
    cluster = started(task("a", 2), task("b", 2, dependsOn=after("a"))).succeed("a-0", "a-1").settle()
    assert sorted(cluster.shown) == ["a-0", "a-1", "b-0", "b-1"]
    assert cluster.phase == "Running"


def test_the_first_pending_may_be_left_out_when_pods_start_soon() -> None:
    cluster = Toy(job(), JobSettings(backend=UngatedBackend(), count_seconds=1.0))
    cluster.wrote_at = cluster.now
    cluster.look()
    assert (cluster.phase, sorted(cluster.shown)) == ("", ["w-0", "w-1"])
    assert cluster.wake == cluster.now + 1
    cluster.run().look()
    assert cluster.phases == ["Running"]
    assert [condition.status for condition in cluster.status.conditions] == ["Pending", "Running"]


def test_a_job_that_restarts_before_its_first_status_was_pending() -> None:
    body = job(task(replicas=1), policies=[policy("RestartTask", "PodFailed")])
    cluster = Toy(body, JobSettings(backend=UngatedBackend(), count_seconds=1.0))
    cluster.wrote_at = cluster.now
    cluster.look()
    cluster.fail("w-0").look()
    assert [condition.status for condition in cluster.status.conditions] == ["Pending", "Restarting"]


def test_a_job_that_stays_pending_reports_it_within_a_second() -> None:
    cluster = Toy(job(), JobSettings(count_seconds=1.0))
    cluster.auto_inqueue = False
    cluster.wrote_at = cluster.now
    cluster.look()
    cluster.wait(1).look()
    assert (cluster.phase, cluster.reason) == ("Pending", "WaitingForPodGroup")


def test_a_job_that_volcano_finished_keeps_its_status() -> None:
    body = job()
    body["status"] = {"state": {"phase": "Completed"}, "version": 3, "succeeded": 7}
    cluster = Toy(body).settle()
    assert (cluster.writes, cluster.status.succeeded) == ([], 7)


def test_a_job_that_volcano_runs_is_taken_over() -> None:
    cluster = started()
    status = cluster.job["status"]
    cluster.job = {**cluster.job, "status": {"state": status["state"], "running": 2, "minAvailable": 2}}
    assert cluster.group is not None
    del cluster.group["metadata"]["annotations"]["volcano.sh/job-version"]
    before = len(cluster.created)
    cluster.settle().succeed().settle()
    assert (cluster.phase, cluster.status.succeeded, len(cluster.created)) == ("Completed", 2, before)


def test_a_job_without_replicas_reports_it_until_it_is_scaled() -> None:
    cluster = Toy(job(task(replicas=0), minAvailable=0)).settle()
    assert (cluster.phase, cluster.reason) == ("Pending", "NoReplicas")
    assert cluster.scale(1, min_available=1).settle().reason == "Inqueue"
