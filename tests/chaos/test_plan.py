"""A seed means one plan, for ever; every harm and every workload comes up."""

import random

import pytest

from tests.chaos import workloads
from tests.chaos.faults import HARMS
from tests.chaos.plan import HARMS_A_RUN, LAST_ARRIVAL, ChaosPlan, ScheduledFault, arrivals, draw, moments

SEEDS = range(200)


def test_a_seed_means_one_plan() -> None:
    assert [draw(seed) for seed in SEEDS] == [draw(seed) for seed in SEEDS]
    assert len({str(draw(seed)) for seed in SEEDS}) == len(SEEDS)


def test_every_harm_and_every_workload_comes_up() -> None:
    plans = [draw(seed) for seed in SEEDS]
    assert {each.harm for plan in plans for each in plan.harms} == set(HARMS)
    assert {name for plan in plans for name in plan.workloads} == set(workloads.WORKLOADS)
    assert {len(plan.harms) for plan in plans} == set(range(HARMS_A_RUN[0], HARMS_A_RUN[1] + 1))


def test_harms_begin_and_end_in_the_order_of_time() -> None:
    long, short = ScheduledFault(0.5, 3.0, "latency", key="0"), ScheduledFault(1.0, 1.0, "quota", key="1")
    told = [(at, over, each.harm) for at, over, each in moments(ChaosPlan(1, (), (long, short)))]
    assert told == [(0.5, False, "latency"), (1.0, False, "quota"), (2.0, True, "quota"), (3.5, True, "latency")]


def test_every_workload_arrives_while_harm_is_done() -> None:
    for plan in map(draw, SEEDS):
        assert arrivals(plan) == arrivals(draw(plan.seed))
        assert len(arrivals(plan)) == len(plan.workloads)
        assert all(0 <= at <= LAST_ARRIVAL for at in arrivals(plan))


@pytest.mark.parametrize("name", workloads.WORKLOADS)
def test_a_workload_speaks_of_its_own_jobs_and_steps_only(name: str) -> None:
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
