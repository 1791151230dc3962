"""What `flow.simulate` predicts is what happens: 104 flows, simulated and run on one cluster at once."""

import math
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any, Final, NamedTuple

import pytest

from jobflow import SimulatedFlow
from jobflow.simulation.manifests import parse
from jobflow.simulation.outline import FlowOutline, outline
from local.client.blocking import until
from local.cluster import LocalCluster
from shared.graphs.directed import Ancestors
from shared.graphs.flow_graph import edges
from shared.kinds import COMMAND, JOBFLOW
from shared.model.types import Body
from tests.e2e.support.approvals import approval
from tests.e2e.support.job_phase_recorder import JobPhaseRecorder
from tests.e2e.support.scenario import ENDED, Scenario, phase
from tests.e2e.support.simulated import CASES
from tests.e2e.support.simulated.behaviour import behaving
from tests.e2e.support.simulated.case import SECONDS, FlowCase

APART = 3.0
"""Seconds between two starts of which a busy machine does not change the order."""
_NOT_ANSWERED = ("timeout", "")


@pytest.fixture(scope="module")
def ran(cluster: LocalCluster) -> Iterator[tuple[Scenario, JobPhaseRecorder]]:
    """All flows, started together and ended."""
    with cluster.namespace("simulated") as namespace:
        scenario = Scenario(cluster, namespace)
        cluster.apply(_leave(namespace))
        with scenario.recorded() as recorder:
            for name, case in CASES.items():
                for body in behaving(case, case.make(name)):
                    cluster.apply({**body, "metadata": {**body["metadata"], "namespace": namespace}})
            answered: set[tuple[str, str]] = set()
            until(lambda: _all_ended(scenario, answered), 240, lambda: str(_running(scenario)))
            yield scenario, recorder


def _leave(namespace: str) -> Body:
    """The policy that a simulation assumes: silence may count as approval."""
    match = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    spec = {"match": match, "approvals": {"onTimeout": True}}
    metadata = {"name": f"leave-{namespace}"}
    return {"apiVersion": "policy.jobflow.dev/v1alpha1", "kind": "JobFlowPolicy", "metadata": metadata, "spec": spec}


def _all_ended(scenario: Scenario, answered: set[tuple[str, str]]) -> bool:
    """Whether all flows have ended; those that ask are answered, each once."""
    flows = scenario.kube.list(JOBFLOW, scenario.namespace)
    for flow in flows:
        for step in (flow.get("status") or {}).get("steps") or ():
            where = (flow["metadata"]["uid"], step["name"])
            if step.get("reason") == "WaitingForApproval" and where not in answered:
                answered.add(where)
                _answer(scenario, flow, step["name"])
    return all(phase(flow) in ENDED for flow in flows)


def _answer(scenario: Scenario, flow: Body, step: str) -> None:
    """As the case says; those whose answer would come late are not answered."""
    case, path = _asked_by(flow["metadata"]["name"], step)
    answer = case.approvals.get(path, "approved")
    if answer not in _NOT_ANSWERED and path not in case.durations:
        scenario.kube.create(COMMAND, approval(flow, step=step, reject=answer == "rejected"))


def _asked_by(flow: str, step: str) -> tuple[FlowCase, str]:
    """The case of the flow, or of the flow above it, and how its scenario names the step."""
    if flow in CASES:
        return CASES[flow], step
    above = flow.removesuffix("-sub")
    return CASES[above], f"sub/{step}"


def _running(scenario: Scenario) -> list[Any]:
    flows = scenario.kube.list(JOBFLOW, scenario.namespace)
    return [(flow["metadata"]["name"], flow.get("status")) for flow in flows if phase(flow) not in ENDED]


def simulated(name: str) -> SimulatedFlow:
    case = CASES[name]
    return case.make(name).simulate(
        fail=case.fail, outputs=case.outputs, durations=case.durations, approvals=case.approvals, seconds=SECONDS
    )


def test_there_are_flows_enough() -> None:
    assert len(CASES) >= 100
    assert len([name for name in CASES if "sub-flow" in name]) >= 20
    assert len([name for name, case in CASES.items() if "appro" in name or case.approvals]) >= 10


@pytest.mark.parametrize("name", CASES)
def test_what_is_foreseen_happens(ran: tuple[Scenario, JobPhaseRecorder], name: str) -> None:
    scenario, recorder = ran
    foreseen = simulated(name)
    for each in (foreseen, *_below(foreseen)):
        flow = scenario.get(each.name)
        status = flow["status"]
        assert {step["name"]: _reported(step) for step in status["steps"]} == {
            step.name: (step.phase, step.reason, step.attempts, dict(step.outputs), step.decision)
            for step in each.steps.values()
        }
        assert (phase(flow), status.get("outcome", "")) == (each.phase, each.outcome)
        assert status.get("outputs", {}) == each.outputs
    _same_order(name, foreseen, recorder)


def _below(foreseen: SimulatedFlow) -> Iterator[SimulatedFlow]:
    for step in foreseen.steps.values():
        for flow in step.flows:
            yield from (flow, *_below(flow))


def _reported(step: Mapping[str, Any]) -> tuple[str, str, int, dict[str, str], str]:
    decision = (step.get("approval") or {}).get("decision", "")
    return step["phase"], step.get("reason", ""), step.get("attempts", 0), step.get("outputs", {}), decision


def _same_order(name: str, foreseen: SimulatedFlow, recorder: JobPhaseRecorder) -> None:
    """The same Jobs, each created after those that the flow has it wait for, or that start long before it."""
    jobs = list(_jobs(foreseen))
    known = {job.name for job in jobs}
    created = list(dict.fromkeys(job for job, _, when in recorder.moments if not when and job in known))
    assert set(created) == known
    flow = outline(parse(CASES[name].make(name).manifest().body).spec, {})
    for one, other in permutations(jobs, 2):
        if other.started - one.started >= APART or (one.ended <= other.started and _waits(flow, other.path, one.path)):
            assert created.index(one.name) < created.index(other.name), (one, other)


class _Created(NamedTuple):
    """A Job. `path`: step, index and attempt of each flow above it and of its own; times since the start of all."""

    name: str
    path: tuple[tuple[str, int | None, int], ...]
    started: float
    ended: float


_TOP: Final = _Created("", (), 0.0, 0.0)


def _jobs(foreseen: SimulatedFlow, above: _Created = _TOP) -> Iterator[_Created]:
    """The Jobs of the flow and of those below it."""
    flows = {flow.name: flow for step in foreseen.steps.values() for flow in step.flows}
    for job in foreseen.jobs:
        path = (*above.path, (job.step, job.index, job.attempt))
        made = _Created(job.name, path, above.started + job.started, above.started + (job.ended or math.inf))
        if job.name in flows:
            yield from _jobs(flows[job.name], made)
        else:
            yield made


def _waits(flow: FlowOutline, path: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether the Job of `path` cannot be created before that of `other`."""
    for (step, place, attempt), (before, earlier_place, earlier_attempt) in zip(path, other, strict=False):
        if step != before:
            final = {each.name for each in flow.spec.finally_}
            return Ancestors(edges(flow.spec)).before(step, before) or (step in final and before not in final)
        loop = flow.steps[step].for_
        if place != earlier_place:
            return bool(loop and (loop.parallelism == 1 or loop.while_)) and place > earlier_place
        if attempt != earlier_attempt:
            return bool(attempt > earlier_attempt)
        flow = flow.inner.get(step, flow)
    return False
