"""The metrics of flows and steps: counted from what is stored, never twice."""

import pytest
from prometheus_client import REGISTRY

from controller.jobflow import metrics
from controller.jobflow.metrics import FlowGauges, count_changes
from shared.key import Key
from shared.kinds import JOBFLOW
from shared.kube.cache.cache import Caches
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import StepPhase
from shared.model.types import Body
from tests.shared.kube.fake import FakeServer, serving

BEGUN, ENDED = "2027-01-15T08:00:00Z", "2027-01-15T08:00:40Z"
NOW = 1_800_000_012.0  # 12 s after BEGUN


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def status(**phases: StepPhase) -> JobFlowStatus:
    return JobFlowStatus(steps=tuple(step(name, phase) for name, phase in phases.items()))


def step(name: str, phase: StepPhase) -> StepStatus:
    begun = None if phase in (StepPhase.WAITING, StepPhase.SKIPPED) else BEGUN
    return StepStatus(name=name, phase=phase, start_time=begun, completion_time=ENDED if phase.ended else None)


CASES = {
    "made": (None, StepPhase.PENDING, 1, 0, 0),
    "runs after waiting for pods": (StepPhase.PENDING, StepPhase.RUNNING, 1, 12, 0),
    "runs at once": (StepPhase.WAITING, StepPhase.RUNNING, 1, 12, 0),
    "runs again": (StepPhase.RETRYING, StepPhase.RUNNING, 1, 0, 0),
    "completes": (StepPhase.RUNNING, StepPhase.COMPLETED, 1, 0, 40),
    "is skipped": (StepPhase.WAITING, StepPhase.SKIPPED, 1, 0, 0),
    "continues as it was": (StepPhase.RUNNING, StepPhase.RUNNING, 0, 0, 0),
}


@pytest.mark.parametrize(("before", "after", "counted", "waited", "ran"), CASES.values(), ids=CASES)
def test_a_stored_change_of_phase_is_counted(
    before: StepPhase | None, after: StepPhase, counted: int, waited: float, ran: float
) -> None:
    def numbers() -> tuple[float, float, float]:
        return (
            value("jobflow_steps_total", phase=after.value),
            value("jobflow_step_wait_seconds_sum"),
            value("jobflow_step_run_seconds_sum", phase=after.value),
        )

    old = numbers()
    count_changes(status(a=before) if before else JobFlowStatus(), status(a=after), NOW)
    assert [new - known for new, known in zip(numbers(), old, strict=True)] == [counted, waited, ran]


async def test_the_gauges_follow_the_cache_and_survive_invalid_statuses() -> None:
    async with serving(FakeServer()) as (_, api):
        cache = Caches(api).want(JOBFLOW)
        FlowGauges(cache)
        before = value("jobflow_flows", phase="Running"), value("jobflow_current_steps", phase="Completed")
        steps = [{"name": "a", "phase": "Completed"}, {"name": "b", "phase": "Strange"}, {"name": "c", "phase": {}}]
        cache.assume(body("1", {"state": {"phase": "Running"}, "steps": steps}))
        assert (value("jobflow_flows", phase="Running"), value("jobflow_current_steps", phase="Completed")) == (
            before[0] + 1,
            before[1] + 1,
        )
        cache.assume(body("2", {"state": {"phase": "Whatever"}}))
        assert value("jobflow_flows", phase="Running") == before[0]
        pending = value("jobflow_flows", phase="Pending")
        cache.assume_deleted("ns", "f", "u")
        assert value("jobflow_flows", phase="Pending") == pending - 1
        assert Key("ns", "f") not in cache


def test_every_phase_is_shown_from_the_start() -> None:
    shown = {sample.labels["phase"] for sample in next(iter(metrics.STEPS.collect())).samples}
    assert shown == set(StepPhase)


def body(version: str, status: Body) -> Body:
    return {"metadata": {"namespace": "ns", "name": "f", "uid": "u", "resourceVersion": version}, "status": status}
