"""Simulates a flow with its templates and a scenario."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from jobflow.simulation.course import Course
from jobflow.simulation.engine import run
from jobflow.simulation.jobs import SimulatedJob
from jobflow.simulation.manifests import KnownTemplates, parse, resource_kinds
from jobflow.simulation.outline import FlowOutline, outline
from jobflow.simulation.outputs_needed import check_outputs
from jobflow.simulation.result import SimulatedFlow, SimulatedStep
from jobflow.simulation.scenario import (
    SECONDS,
    Failures,
    JobScenario,
    ScenarioError,
    ScenarioOutputs,
    scenario,
)
from jobflow.simulation.selectors import path_of
from shared.model.flow import JobFlow, Param
from shared.model.flow_status import StepStatus
from shared.model.step import OnTimeout
from shared.model.types import Body

_STAND_IN: Final[Body] = {
    "spec": {
        "tasks": [
            {"name": "main", "replicas": 1, "template": {"spec": {"containers": [{"name": "main", "image": "?"}]}}}
        ]
    }
}


def simulate(
    flow: Body,
    templates: Mapping[str, Body],
    *,
    flow_templates: Mapping[str, Body] | None = None,
    params: Mapping[str, str] | None = None,
    fail: Failures = (),
    outputs: ScenarioOutputs | None = None,
    durations: Mapping[str, float] | None = None,
    approvals: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> SimulatedFlow:
    """Simulates the flow with Jobs and people that act as the scenario says.

    `templates`, `flow_templates`: JobTemplates and JobFlowTemplates by name; one that is missing is assumed to be there.
    Raises ScenarioError, and msgspec.ValidationError for a flow that breaks the schema.
    """
    parsed = with_params(parse(flow), params or {})
    known = outline(parsed.spec, flow_templates or {})
    happens = scenario(known, fail, outputs, durations, approvals, seconds)
    check_outputs(known, happens)
    jobs = {name: _STAND_IN for name in _templates_used(known) if name not in templates}
    flows = {name: body for name, body in _flow_stand_ins(known).items() if name not in (flow_templates or {})}
    everything = KnownTemplates({**jobs, **templates}, {**flows, **(flow_templates or {})}, frozenset(flows))
    return _result(run(parsed, everything, happens), tuple(_assumed(jobs, flows, known, happens)))


def with_params(flow: JobFlow, values: Mapping[str, str]) -> JobFlow:
    """The flow with these values. Raises ScenarioError for a param that it does not declare."""
    declared = {param.name: param for param in flow.spec.params}
    for name in values:
        if name not in declared:
            raise ScenarioError(f'no param named "{name}"; there are {", ".join(declared) or "none"}')
    params = tuple(Param(name=name, value=values.get(name, param.value)) for name, param in declared.items())
    return replace(flow, spec=replace(flow.spec, params=params))


def _templates_used(known: FlowOutline) -> dict[str, None]:
    """Names of JobTemplates."""
    return {step.template_name: None for _, flow in known.levels() for step in flow.steps.values() if step.makes_jobs}


def _flow_stand_ins(known: FlowOutline) -> dict[str, Body]:
    """By name, JobFlowTemplates that take the params which their steps give."""
    params: dict[str, dict[str, None]] = {}
    for _, flow in known.levels():
        for step in flow.steps.values():
            if step.flow is not None and step.flow.template:
                params.setdefault(step.flow.template, {}).update(dict.fromkeys(step.flow.params))
    return {name: _flow_stand_in(name, given) for name, given in params.items()}


def _flow_stand_in(name: str, params: Iterable[str]) -> Body:
    spec = {"params": [{"name": each} for each in params], "flow": {"flows": [{"name": "assumed"}]}}
    return {"metadata": {"name": name}, "spec": spec}


def _assumed(
    jobs: Mapping[str, Body], flows: Mapping[str, Body], known: FlowOutline, happens: JobScenario
) -> Iterator[str]:
    for name in jobs:
        yield f"JobTemplate {name} exists, with one task of one pod"
    for name in flows:
        yield f"JobFlowTemplate {name} exists, with the outputs that its steps read"
    kinds = {kind for _, flow in known.levels() for kind in resource_kinds(flow.steps.values())}
    for kind in sorted(kinds, key=lambda each: (each.kind, each.api_version)):
        yield f"the operator allows steps to create {kind.kind} of {kind.api_version}"
    answered = {path_of(selector) for selector in happens.approvals}
    for prefix, flow in known.levels():
        for step in flow.steps.values():
            if step.approve is None:
                continue
            if path_of(f"{prefix}{step.name}") not in answered:
                yield f"{prefix}{step.name} is approved"
            elif step.approve.on_timeout is OnTimeout.APPROVE:
                yield f"a JobFlowPolicy allows that {prefix}{step.name} is approved after its timeout"


def _result(course: Course, assumed: tuple[str, ...]) -> SimulatedFlow:
    status = course.status
    by_step: dict[str, list[SimulatedJob]] = {}
    for job in course.jobs:
        by_step.setdefault(job.step, []).append(job)
    steps = {state.name: _step(state, tuple(by_step.get(state.name, ())), course) for state in status.steps}
    begun = sorted((step for step in steps.values() if step.started is not None), key=lambda step: step.started or 0.0)
    return SimulatedFlow(
        name=course.name,
        phase=status.state.phase.value if status.state.phase else "",
        reason=status.state.reason,
        message=status.state.message,
        outcome=status.outcome,
        seconds=course.seconds,
        steps=steps,
        order=tuple(step.name for step in begun),
        jobs=course.jobs,
        outputs=status.outputs,
        unfinished=course.unfinished,
        assumed=assumed,
    )


def _step(state: StepStatus, jobs: tuple[SimulatedJob, ...], course: Course) -> SimulatedStep:
    ends = [job.ended for job in jobs if job.ended is not None]
    wait = course.waits.get(state.name)
    return SimulatedStep(
        name=state.name,
        phase=state.phase.value,
        reason=state.reason,
        message=state.message,
        attempts=state.attempts,
        outputs=state.outputs,
        started=wait.started if wait else min((job.started for job in jobs), default=None),
        ended=wait.ended if wait else max(ends) if ends and state.phase.ended else None,
        jobs=jobs,
        flows=tuple(_result(course.flows[job.name], ()) for job in jobs if job.name in course.flows),
        decision=state.approval.decision if state.approval else "",
    )
