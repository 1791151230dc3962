"""Policies: which one matches, what it does, and when; each case of the case list."""

import pytest

from controller.job.model.defaults import effective_spec
from controller.job.model.observed import JobObservation
from controller.job.react.events import LifecycleEvent
from controller.job.react.policies import INTERNAL, Reaction, reaction
from shared.model.phases import JobAction, JobEvent
from shared.model.types import Body
from shared.timestamp import epoch
from tests.controller.job.make import job, policy, task
from tests.controller.job.toy import Toy, started, toy

FAILED = LifecycleEvent(JobEvent.POD_FAILED, "w", 0, exit_code=3)
EVICTED = LifecycleEvent(JobEvent.POD_EVICTED, "w", 0)

ANSWERS: dict[str, tuple[list[Body], list[Body], LifecycleEvent, tuple[str, str] | None]] = {
    "task goes before job": (
        [policy("RestartJob", "PodFailed")], [policy("AbortJob", "PodFailed")], FAILED, ("RestartJob", "task"),
    ),
    "what the task does not speak of falls through": (
        [policy("RestartJob", "PodFailed")], [policy("AbortJob", "PodEvicted")], EVICTED, ("AbortJob", "job"),
    ),
    "no policy, no answer": ([], [], FAILED, None),
    "exit code": ([], [policy("RestartJob", exit_code=3)], FAILED, ("RestartJob", "job")),
    "another exit code": ([], [policy("RestartJob", exit_code=4)], FAILED, None),
    "first match in order: an event hides a later exit code": (
        [policy("RestartPod", "PodFailed"), policy("AbortJob", exit_code=3)], [], FAILED, ("RestartPod", "task"),
    ),
    "an exit code in front is found first": (
        [policy("AbortJob", exit_code=3), policy("RestartPod", "PodFailed")], [], FAILED, ("AbortJob", "task"),
    ),
    "any event": ([], [policy("RestartJob", "*")], EVICTED, ("RestartJob", "job")),
    "any event covers the completion of a task": (
        [], [policy("RestartJob", "*")], LifecycleEvent(JobEvent.TASK_COMPLETED, "w"), ("RestartJob", "job"),
    ),
    "PodPending needs a timeout": ([], [policy("AbortJob", "PodPending")], LifecycleEvent(JobEvent.POD_PENDING, "w", 0), None),
    "PodPending with one": (
        [], [policy("AbortJob", "PodPending", timeout="30s")], LifecycleEvent(JobEvent.POD_PENDING, "w", 0), ("AbortJob", "job"),
    ),
    "one of several events": ([], [policy("AbortJob", "PodFailed", "PodEvicted")], EVICTED, ("AbortJob", "job")),
    "an action nobody knows is no policy": (
        [policy("Explode", "PodFailed")], [policy("AbortJob", "PodFailed")], FAILED, ("AbortJob", "job"),
    ),
    "PodRunning by name": ([policy("CompleteJob", "PodRunning")], [], LifecycleEvent(JobEvent.POD_RUNNING, "w", 0), ("CompleteJob", "task")),
}  # fmt: skip


@pytest.mark.parametrize(("of_task", "of_job", "event", "want"), ANSWERS.values(), ids=ANSWERS.keys())
def test_the_first_matching_policy_applies(
    of_task: list[Body], of_job: list[Body], event: LifecycleEvent, want: tuple[str, str] | None
) -> None:
    observed: JobObservation = Toy(job(task("w", 2, *of_task), policies=of_job)).observed()
    answer = reaction(effective_spec(observed.job), event)
    assert (answer and (answer.action, answer.level)) == want


@pytest.mark.parametrize("event", sorted(INTERNAL))
def test_event_any_does_not_match_ordinary_progress(event: JobEvent) -> None:
    observed = Toy(job(policies=[policy("RestartJob", "*", timeout="1s")])).observed()
    assert reaction(effective_spec(observed.job), LifecycleEvent(event, "w", 0)) is None


def test_a_timeout_is_a_delay() -> None:
    observed = Toy(job(policies=[policy("RestartJob", "PodFailed", timeout="1m30s")])).observed()
    assert reaction(effective_spec(observed.job), FAILED) == Reaction(JobAction.RESTART_JOB, 90.0, "job")


def test_only_the_first_containers_exit_code_counts() -> None:
    cluster = started(task(replicas=3), minAvailable=1, policies=[policy("AbortJob", exit_code=3)])
    cluster.fail("w-0", code=0, more=(3,)).settle()
    assert cluster.phase == "Running"
    assert cluster.fail("w-1", code=3).settle().phase == "Aborting"


def test_a_completed_task_restarts_a_job_that_reacts_to_anything() -> None:
    cluster = started(policies=[policy("RestartJob", "*")]).succeed().settle()
    assert (cluster.phase, cluster.status.retry_count, cluster.status.succeeded) == ("Pending", 1, 0)


def test_pods_that_wait_too_long_abort_the_job() -> None:
    cluster = toy(policies=[policy("AbortJob", "PodPending", timeout="30s")]).settle()
    assert cluster.wake == cluster.now + 31
    cluster.run("w-0").wait(30).settle()
    assert cluster.phase == "Pending"
    cluster.wait(1).settle()
    assert (cluster.phase, cluster.reason) == ("Aborting", "PodPending")


OUT_OF_PENDING = {"Running": Toy.run, "Succeeded without being seen Running": Toy.succeed}


@pytest.mark.parametrize("leave", OUT_OF_PENDING.values(), ids=OUT_OF_PENDING.keys())
def test_a_pod_that_started_in_time_raises_no_pod_pending(leave: object) -> None:
    cluster = toy(task(replicas=2), minAvailable=1, policies=[policy("AbortJob", "PodPending", timeout="30s")]).settle()
    assert callable(leave)
    leave(cluster, "w-0", "w-1")
    cluster.settle().wait(60).settle()
    assert cluster.phase in ("Running", "Completed")
    assert cluster.status.handled == ()


def test_a_controller_that_starts_late_acts_on_a_deadline_that_passed() -> None:
    cluster = toy(policies=[policy("AbortJob", "PodPending", timeout="30s")]).settle().wait(3600)
    assert cluster.settle().phase == "Aborting"


def test_the_replacement_running_cancels_the_timer_of_a_failure() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed", timeout="5m")]).fail("w-0").settle()
    assert (cluster.phase, cluster.wake) == ("Running", cluster.now + 301)
    cluster.wait(60).lose("w-0").settle().wait(60).run("w-0").settle()
    assert cluster.status.handled == ()
    cluster.wait(600).settle()
    assert (cluster.phase, cluster.status.retry_count) == ("Running", 0)


def test_the_timer_of_a_failure_fires_when_due_and_not_before() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed", timeout="5m")]).fail("w-0").settle()
    cluster.wait(300).settle()
    assert cluster.status.retry_count == 0
    cluster.wait(1).settle()
    assert (cluster.phase, cluster.status.retry_count) == ("Restarting", 1)
    assert "lasted until" in cluster.status.state.message


def test_a_timer_counts_from_the_failure_however_late_it_was_seen() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed", timeout="5m")]).fail("w-0").wait(200).settle()
    assert epoch(cluster.status.handled[0].due or "") == cluster.now + 101


def test_the_restart_of_one_pod_keeps_the_timer_of_another() -> None:
    policies = [policy("RestartJob", "PodEvicted", timeout="10m"), policy("RestartPod", "PodFailed")]
    cluster = started(task(replicas=3), policies=policies).evict("w-0").settle().vanish().settle()
    cluster.wait(60).fail("w-1").settle()
    assert [timer.action for timer in cluster.status.handled] == ["RestartJob"]
    cluster.vanish().settle().run("w-1").settle().wait(601).settle()
    assert (cluster.status.retry_count, cluster.status.tasks[0].retries) == (1, 0)


def test_the_evicted_pods_replacement_cancels_its_timer() -> None:
    cluster = started(policies=[policy("RestartJob", "PodEvicted", timeout="10m")]).evict("w-0").settle().vanish()
    cluster.settle().run("w-0").settle().wait(600).settle()
    assert (cluster.phase, cluster.status.retry_count) == ("Running", 0)


def test_a_completed_task_completes_the_job_whatever_the_others_do() -> None:
    cluster = started(task("ps", 1, policy("CompleteJob", "TaskCompleted")), task("worker", 2)).succeed("ps-0").settle()
    assert cluster.phase == "Completing"
    assert cluster.vanish().settle().phase == "Completed"
    assert cluster.shown == {"ps-0": "Succeeded"}


def test_a_task_of_three_is_complete_with_the_third() -> None:
    cluster = started(task("ps", 3, policy("CompleteJob", "TaskCompleted")), task("worker", 1), minSuccess=4)
    cluster.succeed("ps-0", "ps-1").settle()
    assert cluster.phase == "Running"
    assert cluster.succeed("ps-2").settle().phase == "Completing"


def test_a_job_does_not_fail_while_a_policy_may_still_complete_it() -> None:
    cluster = (
        started(task("ps", 1, policy("CompleteJob", "TaskCompleted")), task("worker", 2)).fail("worker-0").settle()
    )
    assert cluster.phase == "Running"
    assert cluster.succeed("ps-0").settle().vanish().settle().phase == "Completed"


def test_containers_that_restart_too_often_fail_the_task() -> None:
    cluster = (
        started(task("w", 1, policy("TerminateJob", "TaskFailed"), maxRetry=2)).restart_containers("w-0", 1).settle()
    )
    assert cluster.phase == "Running"
    assert cluster.restart_containers("w-0", 2).settle().phase == "Terminating"


def test_container_restarts_without_a_policy_do_not_fail_the_task() -> None:
    cluster = started(task("w", 1, maxRetry=2)).restart_containers("w-0", 9).settle()
    assert cluster.phase == "Running"


def test_three_worker_restarts_do_not_fail_the_job() -> None:
    cluster = started(task("w", 10, policy("RestartPod", "PodFailed"), maxRetry=3), maxRetry=3)
    for index in range(3):
        cluster.fail(f"w-{index}").settle().vanish().settle().run(f"w-{index}").settle()
    assert (cluster.phase, cluster.status.retry_count, cluster.status.tasks[0].retries) == ("Running", 0, 3)
    cluster.fail("w-9").settle()
    assert (cluster.phase, cluster.reason) == ("Failed", "MaxRetryExceeded")
    assert any("3 of 3 restarts of task w are used up" in message for message in cluster.text("ExecuteAction"))


def test_a_task_out_of_retries_raises_task_failed() -> None:
    policies = [policy("RestartPod", "PodFailed"), policy("AbortJob", "TaskFailed")]
    cluster = started(task("w", 2, *policies, maxRetry=0)).fail("w-0").settle()
    assert (cluster.phase, cluster.reason) == ("Aborting", "TaskFailed")


def test_restart_pod_replaces_that_pod_only() -> None:
    cluster = started(task("w", 3, policy("RestartPod", "PodFailed"))).fail("w-1").settle()
    assert cluster.shown == {"w-0": "Running", "w-1": "Pending", "w-2": "Running"}
    assert (cluster.status.version, cluster.status.retry_count) == (0, 0)
    assert cluster.phases[2:] == ["Restarting", "Pending"]
    assert cluster.run("w-1").settle().phase == "Running"


def test_restart_task_replaces_all_of_the_task_and_nothing_else() -> None:
    cluster = started(task("ps", 1), task("w", 2, policy("RestartTask", "PodFailed"))).fail("w-0").settle()
    assert cluster.shown == {"ps-0": "Running", "w-0": "Pending", "w-1": "Terminating"}
    cluster.vanish().settle()
    assert cluster.shown == {"ps-0": "Running", "w-0": "Pending", "w-1": "Pending"}
    assert [record.retries for record in cluster.status.tasks] == [0, 1]


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("RestartTask", {"ps-0": "Running", "w-0": "Pending", "w-1": "Terminating"}),
        ("RestartPod", {"ps-0": "Running", "w-0": "Pending", "w-1": "Running"}),
    ],
)
def test_a_targeted_restart_in_a_policy_of_the_job_is_about_the_task_of_the_pod(
    action: str, left: dict[str, str]
) -> None:
    cluster = started(task("ps", 1), task("w", 2), policies=[policy(action, "PodFailed", "PodEvicted")])
    assert cluster.fail("w-0").settle().shown == left
    cluster.vanish().settle()
    assert [record.retries for record in cluster.status.tasks] == [0, 1]


def test_a_task_without_max_retry_has_that_of_the_job() -> None:
    cluster = started(task("w", 1, policy("RestartPod", "PodFailed")), maxRetry=5)
    for _ in range(5):
        cluster.fail("w-0").settle().vanish().settle().run("w-0").settle()
        assert cluster.phase == "Running"
    assert cluster.fail("w-0").settle().reason == "MaxRetryExceeded"
    assert "its 5 restarts are used up (maxRetry of the task and of the Job)" in cluster.status.state.message


def test_two_failures_at_once_are_one_restart_of_the_task() -> None:
    cluster = started(task("w", 3, policy("RestartTask", "PodFailed"))).fail("w-0", "w-2").settle()
    assert cluster.status.tasks[0].retries == 1


def test_restart_partition_replaces_that_partition_only() -> None:
    partitions = {"totalPartitions": 2, "partitionSize": 2}
    cluster = (
        started(task("w", 4, policy("RestartPartition", "PodFailed"), partitionPolicy=partitions)).fail("w-3").settle()
    )
    assert cluster.shown == {"w-0": "Running", "w-1": "Running", "w-2": "Terminating", "w-3": "Pending"}
    cluster.vanish().settle()
    assert [name for name, _ in cluster.created][4:] == ["demo-w-3", "demo-w-2"]


def test_an_unknown_group_restarts_the_job_every_time() -> None:
    cluster = started(policies=[policy("RestartJob", "Unknown")])
    for times in (1, 2):
        cluster.group_phase("Unknown").settle().vanish().settle().run().settle()
        assert (cluster.phase, cluster.status.retry_count) == ("Running", times)


def test_an_unknown_group_is_acted_on_once_while_it_lasts() -> None:
    cluster = started(
        task("w", 2, policy("RestartTask", "PodFailed")), policies=[policy("AbortJob", "Unknown", timeout="1m")]
    )
    cluster.group_phase("Unknown").settle().wait(30).group_phase("Running").settle().wait(60).settle()
    assert cluster.phase == "Running"
    cluster.group_phase("Unknown").settle().wait(61).settle()
    assert cluster.phase == "Aborting"


def test_an_eviction_is_no_failure_even_if_the_process_dies_first() -> None:
    cluster = started(policies=[policy("AbortJob", "PodFailed"), policy("RestartJob", "PodEvicted")])
    cluster.evict("w-0", left_behind=True).settle()
    assert cluster.reason == "PodEvicted"
    assert cluster.phase == "Restarting"


@pytest.mark.parametrize("left_behind", [False, True], ids=["deleted", "left lying"])
def test_an_evicted_pod_is_replaced_without_a_policy(left_behind: bool) -> None:
    cluster = started().evict("w-0", left_behind=left_behind).settle().vanish().settle()
    assert cluster.shown == {"w-0": "Pending", "w-1": "Running"}
    assert (cluster.status.retry_count, cluster.status.failed) == (0, 0)


def test_a_pod_deleted_while_the_controller_was_away_was_evicted() -> None:
    cluster = started(policies=[policy("RestartJob", "PodEvicted")]).lose("w-0").settle()
    assert (cluster.phase, cluster.reason, cluster.status.retry_count) == ("Restarting", "PodEvicted", 1)


def test_our_own_deletions_are_never_evictions() -> None:
    cluster = started(task("w", 2, policy("RestartPod", "PodFailed")), policies=[policy("AbortJob", "PodEvicted")])
    cluster.fail("w-0").settle().vanish().settle().run("w-0").settle()
    assert cluster.phase == "Running"


def test_a_changed_spec_raises_job_updated_for_policies_that_name_it() -> None:
    cluster = started(policies=[policy("RestartJob", "JobUpdated")]).scale(3).settle()
    assert (cluster.phase, cluster.reason, cluster.status.observed_generation) == ("Restarting", "JobUpdated", 2)
    assert started(policies=[policy("RestartJob", "*")]).scale(3).settle().status.retry_count == 0


def test_a_pod_that_runs_raises_pod_running_for_policies_that_name_it() -> None:
    cluster = toy(task("w", 2), task("probe", 1, policy("CompleteJob", "PodRunning"))).settle().run("w-0").settle()
    assert cluster.phase == "Pending"
    assert cluster.run("probe-0").settle().vanish().settle().phase == "Completed"


def test_a_restart_of_the_job_forgets_results_and_the_tasks_retries() -> None:
    policies = [policy("RestartJob", exit_code=9), policy("RestartPod", "PodFailed")]
    cluster = started(task("w", 3, *policies), minAvailable=1).succeed("w-0").settle()
    cluster.fail("w-1").settle().vanish().settle().run("w-1").settle()
    assert cluster.status.tasks[0].retries == 1
    cluster.fail("w-2", code=9).settle().vanish().settle()
    assert cluster.shown == {"w-0": "Pending", "w-1": "Pending", "w-2": "Pending"}
    assert (cluster.status.tasks[0].retries, cluster.status.succeeded) == (0, 0)


def test_the_message_names_the_event_and_the_action() -> None:
    cluster = started(policies=[policy("AbortJob", "PodFailed")]).fail("w-1", code=137).settle()
    assert cluster.status.state.message == "pod demo-w-1 failed with exit code 137: AbortJob"
    assert cluster.text("ExecuteAction") == ["pod demo-w-1 failed with exit code 137: AbortJob"]
