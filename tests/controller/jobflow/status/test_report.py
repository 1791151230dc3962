"""When a status is written at once, and when it waits for what is about to follow."""

import msgspec
import pytest

from controller.jobflow.decide.flow import FlowDecision
from controller.jobflow.model.plan import Plan
from controller.jobflow.observe.flow_cache import CachedFlow
from controller.jobflow.observe.write_schedule import CREATE_SECONDS, FEWEST_JOBS, NEVER, WriteSchedule
from controller.runtime.rate_limit import FIRST_DELAY, MAX_STALENESS
from shared.model.flow_status import FlowState
from shared.model.phases import FlowPhase, JobPhase
from tests.controller.jobflow.make import FlowCluster, flow, started, step


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


def reported(seconds: float, steps: int = 1000) -> CachedFlow:
    """A flow whose last report took so long and ended at 100; a change was observed then and is not reported yet."""
    stored = msgspec.structs.replace(started(step("a")).status, state=FlowState(phase=FlowPhase.RUNNING))
    subject = flow(*(step(f"s{number}") for number in range(steps)))
    found = CachedFlow(subject, Plan(subject), stored, None, "1", wrote_at=100.0, report_seconds=seconds)
    found.deferred_since = 100.0
    return found


@pytest.mark.parametrize(
    ("report_seconds", "begins"), [(0.0, 102.0), (0.1, 102.0), (0.5, 101.5), (1.0, 100.5), (9.0, 100.5)]
)
def test_a_change_is_reported_within_three_seconds_also_where_a_report_takes_long(
    report_seconds: float, begins: float
) -> None:
    """It may have been made right after the observation for the last report, and the next one takes as long again."""
    assert WriteSchedule().write_after(reported(report_seconds), 100.0) == pytest.approx(begins)
    if report_seconds <= 1.0:
        assert begins + 2 * report_seconds + CREATE_SECONDS <= 100.0 + MAX_STALENESS


def test_many_creations_do_not_come_before_a_report_that_is_due() -> None:
    schedule = WriteSchedule()
    assert schedule.most_jobs(reported(0.0), 101.9) > FEWEST_JOBS
    assert schedule.most_jobs(reported(0.0), 102.0) == FEWEST_JOBS


def new_flow() -> CachedFlow:
    subject = flow(step("a"), step("b", "a"))
    return CachedFlow(subject, Plan(subject), subject.status, None, "1")


def test_the_first_status_waits_a_moment_for_a_flow_that_ends_soon() -> None:
    assert WriteSchedule().settle_until(new_flow(), 100.0) == 100.0 + FIRST_DELAY
    known = new_flow()
    known.deferred_since = 99.9
    assert WriteSchedule().settle_until(known, 100.0) == pytest.approx(99.9 + FIRST_DELAY)


def test_a_flow_that_ends_within_a_moment_is_written_once() -> None:
    cluster = FlowCluster(flow(step("a"), step("b", "a")))
    cluster.holds, cluster.settle_until = True, cluster.now + FIRST_DELAY
    cluster.turn()
    cluster.set_job("f-a", JobPhase.COMPLETED)
    cluster.turn()
    assert (cluster.created, cluster.writes) == (["f-a", "f-b"], 0)
    cluster.set_job("f-b", JobPhase.COMPLETED)
    cluster.turn()
    assert (cluster.flow.status.state.phase, cluster.writes) == (FlowPhase.SUCCEED, 1)
    assert [reason for reason, _ in cluster.notes] == ["StepCompleted", "Succeeded"]


def test_a_controller_that_is_killed_before_the_first_status_tells_the_same() -> None:
    cluster = FlowCluster(flow(step("a"), step("b", "a")))
    cluster.holds, cluster.settle_until = True, cluster.now + FIRST_DELAY
    cluster.turn()
    cluster.set_job("f-a", JobPhase.COMPLETED)
    cluster.turn()
    cluster.memory, cluster.holds, cluster.settle_until = None, False, 0.0
    cluster.settle()
    assert cluster.created == ["f-a", "f-b"]
    assert cluster.notes == [("StepCompleted", "step a completed"), ("StepStarted", "step b started")]


def test_a_first_status_that_starts_nothing_is_written_at_once() -> None:
    cluster = FlowCluster(flow(step("a"), suspend=True))
    assert held(cluster).decision.status is not None


def test_the_first_status_does_not_wait_while_the_api_server_is_slow() -> None:
    schedule = WriteSchedule()
    for _ in range(10):
        schedule.record_latency(0.2, 0)
    assert schedule.settle_until(new_flow(), 100.0) == NEVER
