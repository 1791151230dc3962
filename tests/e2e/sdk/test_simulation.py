"""What `flow.simulate` foresees is what happens: 70 flows, simulated and run on one cluster at once."""

from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise
from typing import Any

import pytest

from jobflow import SimulatedFlow
from local.cluster import LocalCluster
from shared.model.types import Body
from tests.e2e.support.recorder import JobPhaseRecorder
from tests.e2e.support.scenario import Scenario, phase
from tests.e2e.support.simulated import CASES, SECONDS, behaving

APART = 0.35
"""Seconds between two starts of which a busy machine does not change the order."""


@pytest.fixture(scope="module")
def ran(cluster: LocalCluster) -> Iterator[tuple[Scenario, JobPhaseRecorder]]:
    """All flows, started together and ended."""
    with cluster.namespace("simulated") as namespace:
        scenario = Scenario(cluster, namespace)
        with scenario.recorded() as recorder:
            for name, case in CASES.items():
                *templates, flow = (each.body for each in case.make(name).manifests())
                for body in templates:
                    cluster.apply(_in(namespace, behaving(case, name, body)))
                cluster.apply(_in(namespace, flow))
            for name in CASES:
                scenario.ended(name, 120)
            yield scenario, recorder


def _in(namespace: str, body: Body) -> Body:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


def simulated(name: str) -> SimulatedFlow:
    case = CASES[name]
    return case.make(name).simulate(fail=case.fail, outputs=case.outputs, durations=case.durations, seconds=SECONDS)


def test_there_are_flows_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_what_is_foreseen_happens(ran: tuple[Scenario, JobPhaseRecorder], name: str) -> None:
    scenario, recorder = ran
    foreseen, flow = simulated(name), scenario.get(name)
    status = flow["status"]
    assert {each["name"]: _told(each) for each in status["steps"]} == {
        step.name: (step.phase, step.reason, step.attempts, dict(step.outputs)) for step in foreseen.steps.values()
    }
    assert (phase(flow), status.get("outcome", "")) == (foreseen.phase, foreseen.outcome)
    _same_order(foreseen, recorder, name)


def _told(step: Mapping[str, Any]) -> tuple[str, str, int, dict[str, str]]:
    return step["phase"], step.get("reason", ""), step.get("attempts", 0), step.get("outputs", {})


def _same_order(foreseen: SimulatedFlow, recorder: JobPhaseRecorder, name: str) -> None:
    """The same Jobs, created in the same order; those that start at almost the same time in any order."""
    mine = {job.name for job in foreseen.jobs}
    created = list(dict.fromkeys(job for job, _, when in recorder.moments if not when and job in mine))
    assert set(created) == mine
    for together in _groups(foreseen):
        assert set(created[: len(together)]) == together, (created, together)
        created = created[len(together) :]


def _groups(foreseen: SimulatedFlow) -> Iterator[set[str]]:
    """Jobs that start one shortly after the other."""
    jobs = sorted(foreseen.jobs, key=lambda job: job.started)
    starts = [job.started for job in jobs]
    number, numbers = 0, [0]
    for before, start in pairwise(starts):
        number += start - before >= APART
        numbers.append(number)
    for _, group in groupby(zip(jobs, numbers, strict=True), key=lambda pair: pair[1]):
        yield {job.name for job, _ in group}
