"""Task `dependsOn`: what starts when, what never starts, and the gang's minimum on the way."""

import pytest

from controller.job.model.observed import JobSettings
from shared.model.phases import TaskCondition
from tests.controller.job.make import after, job, policy, task
from tests.controller.job.toy import Toy, toy

READY = JobSettings(depends_on_condition=TaskCondition.READY, count_seconds=0)


def chain(**depends: str) -> Toy:
    return toy(task("a", 2), task("b", 2, dependsOn=after("a", **depends))).settle()


def test_a_dependent_waits_for_completion() -> None:
    cluster = chain()
    assert sorted(cluster.shown) == ["a-0", "a-1"]
    cluster.run("a-0", "a-1").settle()
    assert (cluster.phase, sorted(cluster.shown)) == ("Running", ["a-0", "a-1"])
    assert cluster.status.state.message.endswith("waiting for other tasks: b")
    cluster.succeed("a-0").settle()
    assert "b-0" not in cluster.shown
    cluster.succeed("a-1").settle()
    assert {"b-0", "b-1"} <= set(cluster.shown)
    cluster.run("b-0", "b-1").settle().succeed("b-0", "b-1").settle()
    assert cluster.phase == "Completed"


def test_the_groups_minimum_counts_released_tasks_only_and_grows() -> None:
    cluster = chain()
    assert cluster.group is not None
    assert (cluster.group["spec"]["minMember"], cluster.group["spec"]["minTaskMember"]) == (2, {"a": 2})
    cluster.run("a-0", "a-1").settle().succeed("a-0", "a-1").settle()
    assert cluster.group is not None
    assert (cluster.group["spec"]["minMember"], cluster.group["spec"]["minTaskMember"]) == (4, {"a": 2, "b": 2})


def test_a_small_job_minimum_is_not_raised_by_dependencies() -> None:
    cluster = toy(task("a", 1), task("b", 3, dependsOn=after("a")), minAvailable=1).settle()
    assert cluster.group is not None
    assert cluster.group["spec"]["minMember"] == 1
    assert cluster.run("a-0").settle().phase == "Running"


def test_ready_waits_for_readiness_and_not_for_the_end() -> None:
    cluster = chain(condition="Ready").run("a-0", ready=True).run("a-1", ready=False).settle()
    assert "b-0" not in cluster.shown
    cluster.run("a-1").settle()
    assert {"b-0", "b-1"} <= set(cluster.shown)


def test_ready_needs_the_minimum_of_the_named_task_and_counts_successes() -> None:
    tasks = task("a", 3, minAvailable=2), task("b", 1, dependsOn=after("a", condition="Ready"))
    cluster = toy(*tasks).settle().run("a-0").succeed("a-1").settle()
    assert "b-0" in cluster.shown


def test_the_operators_default_condition_applies_where_the_job_names_none() -> None:
    cluster = Toy(job(task("a", 1), task("b", 1, dependsOn=after("a"))), READY).settle().run("a-0").settle()
    assert "b-0" in cluster.shown


def test_a_named_task_without_minimum_releases_at_once_when_ready_is_asked() -> None:
    cluster = toy(task("a", 2, minAvailable=0), task("b", 1, dependsOn=after("a", condition="Ready"))).settle()
    assert "b-0" in cluster.shown


@pytest.mark.parametrize(("iteration", "starts"), [("any", True), ("all", False), (None, False)])
def test_one_of_two_is_enough_for_any(iteration: str | None, starts: bool) -> None:
    depends = after("a", "b", **({"iteration": iteration} if iteration else {}))
    cluster = toy(task("a", 1), task("b", 1), task("c", 1, dependsOn=depends)).settle().run().settle()
    cluster.succeed("a-0").settle()
    assert ("c-0" in cluster.shown) is starts


def test_a_failed_dependency_fails_the_job_and_dependents_never_start() -> None:
    cluster = toy(task("a", 1), task("b", 1, dependsOn=after("a")), task("c", 1, dependsOn=after("b"))).settle()
    cluster.run("a-0").settle().fail("a-0").settle()
    assert (cluster.phase, cluster.reason) == ("Failed", "DependencyFailed")
    assert (
        cluster.status.state.message
        == "task a failed, so these never start: b, c; pod demo-a-0: a container: exit code 1"
    )
    assert sorted(cluster.shown) == ["a-0"]


def test_what_does_not_depend_on_the_failure_runs_on_while_the_goal_is_in_reach() -> None:
    cluster = (
        toy(task("a", 1), task("b", 1, dependsOn=after("a")), task("x", 1), minAvailable=1).settle().run().settle()
    )
    cluster.fail("a-0").settle()
    assert (cluster.phase, cluster.shown["x-0"]) == ("Running", "Running")
    cluster.succeed("x-0").settle()
    assert (cluster.phase, cluster.reason) == ("Failed", "DependencyFailed")


def test_dependents_with_iteration_any_fail_only_when_all_dependencies_failed() -> None:
    tasks = task("a", 1), task("b", 1), task("c", 1, dependsOn=after("a", "b", iteration="any"))
    cluster = toy(*tasks, minAvailable=1).settle().run().settle().fail("a-0").settle()
    assert cluster.phase == "Running"
    cluster.succeed("b-0").settle().run("c-0").settle().succeed("c-0").settle()
    assert cluster.phase == "Completed"


def test_a_restart_by_policy_goes_before_the_failure_of_dependents() -> None:
    tasks = task("a", 1, policy("RestartPod", "PodFailed")), task("b", 1, dependsOn=after("a"))
    cluster = toy(*tasks).settle().run().settle().fail("a-0").settle().vanish().settle()
    assert cluster.phase == "Pending"
    cluster.run("a-0").settle().succeed("a-0").settle()
    assert "b-0" in cluster.shown


def test_a_timer_defers_the_failure_of_dependents() -> None:
    tasks = task("a", 1, policy("RestartTask", "PodFailed", timeout="1m")), task("b", 1, dependsOn=after("a"))
    cluster = toy(*tasks).settle().run().settle().fail("a-0").settle()
    assert cluster.phase == "Running"
    cluster.wait(61).settle().vanish().settle().run("a-0").settle().succeed("a-0").settle()
    assert "b-0" in cluster.shown


def test_a_started_dependent_is_never_held_back_again() -> None:
    cluster = chain(condition="Ready").run().settle().run().settle().lose("a-0").settle()
    assert {"b-0", "b-1"} <= set(cluster.shown)
    cluster.lose("b-0").settle()
    assert cluster.shown["b-0"] == "Pending"


def test_a_restart_of_the_job_starts_over_with_the_first_tasks() -> None:
    cluster = chain().run("a-0", "a-1").settle().succeed("a-0", "a-1").settle().run("b-0", "b-1").settle()
    cluster.order("RestartJob").settle().vanish().settle()
    assert cluster.shown == {"a-0": "Pending", "a-1": "Pending"}


def test_a_resumed_job_continues_where_it_was() -> None:
    cluster = chain().run("a-0", "a-1").settle().succeed("a-0", "a-1").settle().run("b-0", "b-1").settle()
    cluster.order("AbortJob").settle().vanish().settle().order("ResumeJob").settle()
    assert cluster.shown == {"a-0": "Succeeded", "a-1": "Succeeded", "b-0": "Pending", "b-1": "Pending"}


def test_a_dependency_on_an_unknown_task_is_never_met() -> None:
    cluster = toy(task("a", 1), task("b", 1, dependsOn=after("ghost"))).settle()
    assert (cluster.phase, cluster.reason) == ("Failed", "DependencyFailed")
