"""When a status is written at once, and when it waits for what is about to follow."""

import pytest

from controller.jobflow.decide.flow import FlowDecision
from shared.model.phases import JobPhase
from tests.controller.jobflow.make import FlowCluster, started, step


def held(cluster: FlowCluster, seconds: float = 2.0) -> FlowDecision:
    return cluster.decide_with(settle_until=cluster.now + seconds)


def test_the_end_of_a_step_is_written_together_with_the_start_of_the_next() -> None:
    cluster = started(step("a"), step("b", "a"))
    cluster.set_job("f-a", JobPhase.COMPLETED)
    found = held(cluster)
    assert [action.body["metadata"]["name"] for action in found.decision.actions] == ["f-b"]
    assert (found.decision.status, found.decision.requeue_after, found.deferred) == (None, 2.0, True)
    cluster.turn()
    cluster.set_job("f-b", JobPhase.RUNNING)
    found = held(cluster)
    assert [one["phase"] for one in found.decision.status["steps"]] == ["Completed", "Running"]


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_job_that_stays_pending_is_written_after_the_settling_time(seconds: float) -> None:
    cluster = started(step("a"), step("b", "a"))
    cluster.set_job("f-a", JobPhase.COMPLETED)
    assert held(cluster, seconds).decision.status is not None


def test_a_failure_is_written_at_once_beside_a_job_that_has_long_been_pending() -> None:
    cluster = started(step("a"), step("b"), step("c", "a", "b"), failureStrategy="Continue")
    cluster.now += 10
    cluster.set_job("f-a", JobPhase.FAILED)
    assert held(cluster).decision.status is not None


def test_the_reason_that_blocks_a_new_job_is_written_at_once() -> None:
    cluster = started(step("a"))
    cluster.set_job("f-a", JobPhase.PENDING, state={"reason": "QueueNotFound", "message": 'no queue "x"'})
    assert held(cluster).decision.status is not None


def test_a_change_of_pod_counts_alone_is_deferred() -> None:
    cluster = started(step("a"), step("b", "a"))
    cluster.now += 10
    cluster.set_job("f-a", JobPhase.RUNNING, running=3)
    cluster.settle()
    cluster.set_job("f-a", JobPhase.RUNNING, running=2, succeeded=1)
    found = held(cluster)
    assert (found.decision.status, found.decision.requeue_after, found.deferred) == (None, 2.0, True)
    assert held(cluster, 0.0).decision.status["pods"]["succeeded"] == 1
