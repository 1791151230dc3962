"""A flow, its templates and a scenario in; what would come of it out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from jobflow.simulation.engine import Course, FlowClock, parse
from jobflow.simulation.jobs import SimulatedJob, clashing_outputs
from jobflow.simulation.result import SimulatedFlow, SimulatedStep
from jobflow.simulation.scenario import (
    SECONDS,
    Failures,
    JobScenario,
    OutputNeeded,
    ScenarioError,
    ScenarioOutputs,
    scenario,
    step_of,
)
from shared.graphs.flow_graph import written_expressions
from shared.graphs.nesting import known_outputs
from shared.model.flow import JobFlow, Param
from shared.model.step import Step
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
    params: Mapping[str, str] | None = None,
    fail: Failures = (),
    outputs: ScenarioOutputs | None = None,
    durations: Mapping[str, float] | None = None,
    seconds: float = SECONDS,
) -> SimulatedFlow:
    """What would become of the flow if its Jobs did as the scenario says.

    `templates`: JobTemplates by name; one that is missing is assumed to be there. Raises ScenarioError, and
    msgspec.ValidationError for a flow that breaks the schema.
    """
    parsed = with_params(parse(flow), params or {})
    happens = scenario(parsed.spec, fail, outputs, durations, seconds)
    _check_outputs(parsed, happens)
    steps = (*parsed.spec.flows, *parsed.spec.finally_)
    missing = [step.template_name for step in steps if step.makes_jobs and step.template_name not in templates]
    course = FlowClock(parsed, {**dict.fromkeys(missing, _STAND_IN), **templates}, happens).run()
    return _result(parsed, course, tuple(_assumed(missing)))


def with_params(flow: JobFlow, values: Mapping[str, str]) -> JobFlow:
    """The flow with these values. Raises ScenarioError for a param that it does not declare."""
    declared = {param.name: param for param in flow.spec.params}
    for name in values:
        if name not in declared:
            raise ScenarioError(f'no param named "{name}"; there are {", ".join(declared) or "none"}')
    params = tuple(Param(name=name, value=values.get(name, param.value)) for name, param in declared.items())
    return replace(flow, spec=replace(flow.spec, params=params))


def _check_outputs(flow: JobFlow, happens: JobScenario) -> None:
    """Raises ScenarioError where an expression reads an output that the scenario does not give."""
    steps = {step.name: step for step in (*flow.spec.flows, *flow.spec.finally_)}
    given = {(name, key) for name, values in happens.outputs.items() for key in values}
    named = {(step_of(selector), key) for selector, key in given}
    for step in steps.values():
        if clash := clashing_outputs(step):
            one, other = clash
            raise ScenarioError(
                f"step {step.name}: output {one.name} is the whole message, and {other.name} a key in it"
            )
        for source, key in _read(step, steps.values()):
            if (source, key) not in named and source not in happens.failures:
                raise OutputNeeded(step.name, source, key)


def _read(step: Step, steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """(step, output) of every output that an expression of the step reads."""
    for each in written_expressions(step):
        for source in steps:
            for output in known_outputs(source):
                within = rf"steps(?:\.{re.escape(source.name)}|\[\"{source.name}\"\])(?:\.iterations\[\d+\])?\.outputs(?:\.{output}\b|\[\"{output}\"\])"
                if re.search(within, each.text) or (
                    source is step and re.search(rf"\blast\.outputs\.{output}\b", each.text)
                ):
                    yield source.name, output


def _assumed(missing: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(missing):
        yield f"JobTemplate {name} exists, with one task of one pod"


def _result(flow: JobFlow, course: Course, assumed: tuple[str, ...]) -> SimulatedFlow:
    status = course.status
    records = tuple(course.jobs.records.values())
    order = tuple(dict.fromkeys(job.step for job in sorted(records, key=lambda job: job.started)))
    steps = {}
    by_step: dict[str, list[SimulatedJob]] = {}
    for job in records:
        by_step.setdefault(job.step, []).append(job)
    for state in status.steps:
        jobs = tuple(by_step.get(state.name, ()))
        ends = [job.ended for job in jobs if job.ended is not None]
        steps[state.name] = SimulatedStep(
            name=state.name,
            phase=state.phase.value,
            reason=state.reason,
            message=state.message,
            attempts=state.attempts,
            outputs=state.outputs,
            started=min((job.started for job in jobs), default=None),
            ended=max(ends) if ends and state.phase.ended else None,
            jobs=jobs,
        )
    return SimulatedFlow(
        name=flow.metadata.name,
        phase=status.state.phase.value if status.state.phase else "",
        reason=status.state.reason,
        message=status.state.message,
        outcome=status.outcome,
        seconds=course.seconds,
        steps=steps,
        order=order,
        jobs=records,
        unfinished=course.unfinished,
        assumed=assumed,
    )
