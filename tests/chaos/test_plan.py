"""A seed always gives the same plan; every fault and every workload is drawn by some seed."""

import random
import re
from collections.abc import Sequence

import pytest

from shared.model.types import Body
from tests.chaos import workloads
from tests.chaos.faults import FAULTS
from tests.chaos.plan import FAULTS_A_RUN, LAST_ARRIVAL, ChaosPlan, ScheduledFault, arrivals, changes, draw

SEEDS = range(200)


def test_a_seed_always_gives_the_same_plan() -> None:
    assert [draw(seed) for seed in SEEDS] == [draw(seed) for seed in SEEDS]
    assert len({str(draw(seed)) for seed in SEEDS}) == len(SEEDS)


def test_every_fault_and_every_workload_is_drawn() -> None:
    plans = [draw(seed) for seed in SEEDS]
    assert {each.fault for plan in plans for each in plan.faults} == set(FAULTS)
    assert {name for plan in plans for name in plan.workloads} == set(workloads.WORKLOADS)
    assert {len(plan.faults) for plan in plans} == set(range(FAULTS_A_RUN[0], FAULTS_A_RUN[1] + 1))


def test_faults_begin_and_end_in_the_order_of_time() -> None:
    long, short = ScheduledFault(0.5, 3.0, "latency", key="0"), ScheduledFault(1.0, 1.0, "quota", key="1")
    texts = [(at, over, each.fault) for at, over, each in changes(ChaosPlan(1, (), (long, short)))]
    assert texts == [(0.5, False, "latency"), (1.0, False, "quota"), (2.0, True, "quota"), (3.5, True, "latency")]


def test_every_workload_is_submitted_while_faults_are_injected() -> None:
    for plan in map(draw, SEEDS):
        assert arrivals(plan) == arrivals(draw(plan.seed))
        assert len(arrivals(plan)) == len(plan.workloads)
        assert all(0 <= at <= LAST_ARRIVAL for at in arrivals(plan))


@pytest.mark.parametrize("name", workloads.WORKLOADS)
def test_a_workload_names_only_its_own_jobs_and_steps(name: str) -> None:
    for seed in range(20):
        made = workloads.WORKLOADS[name]("ns", "w", random.Random(seed))
        again = workloads.WORKLOADS[name]("ns", "w", random.Random(seed))
        assert made == again
        assert made.kept <= made.jobs
        assert {job for after in made.order for job in (after.job, after.before)} <= made.jobs
        assert all(body["metadata"]["namespace"] == "ns" for body in made.objects)
        flows = [body for body in made.objects if body["kind"] == "JobFlow"]
        steps = {step["name"] for flow in flows for part in ("flows", "finally") for step in flow["spec"].get(part, ())}
        assert set(made.steps) == steps


class _SubmittedObjects:
    """Stands in for the cluster: keeps what the fault submits."""

    def __init__(self) -> None:
        self.objects: list[Body] = []

    def extra_namespace(self, key: str) -> str:
        return f"ns-{key}"

    def submit_at(self, change: float, objects: Sequence[Body]) -> None:
        self.objects += objects


@pytest.mark.parametrize("name", workloads.WORKLOADS)
def test_the_objects_in_a_namespace_to_delete_have_valid_names(name: str) -> None:
    cluster = _SubmittedObjects()
    scheduled = ScheduledFault(0.0, 1.0, "namespace-deletion", {"workload": name, "seed": 1}, key="0")
    FAULTS["namespace-deletion"].inject(cluster, scheduled)
    assert cluster.objects
    names = [body["metadata"]["name"] for body in cluster.objects]
    assert [each for each in names if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", each)] == []
