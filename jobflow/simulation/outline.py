"""The steps of a flow and of the flows that it runs, as far as they are known without a cluster. Pure."""

from collections.abc import Iterator, Mapping

import msgspec

from jobflow.simulation.selectors import BELOW
from shared.graphs.nesting import MAX_LEVELS, inline_spec, read_spec
from shared.model.flow import JobFlowSpec
from shared.model.step import Step
from shared.model.types import Body


class FlowOutline(msgspec.Struct, frozen=True):
    """`steps`: by name; `inner`: by step, the flow that it runs, where that is known."""

    spec: JobFlowSpec
    steps: Mapping[str, Step]
    inner: Mapping[str, "FlowOutline"]

    def find(self, path: tuple[str, ...]) -> tuple["FlowOutline | None", Step | None]:
        """The flow in which the step of that path is wanted, None if it is not known, and the step if it has one."""
        within: FlowOutline | None = self
        for name in path[:-1]:
            within = within.inner.get(name) if within else None
        return within, within.steps.get(path[-1]) if within else None

    def levels(self, prefix: str = "") -> Iterator[tuple[str, "FlowOutline"]]:
        """This flow and all below it, each with the path that leads to its steps."""
        yield prefix, self
        for name, flow in self.inner.items():
            yield from flow.levels(f"{prefix}{name}{BELOW}")


def outline(spec: JobFlowSpec, flow_templates: Mapping[str, Body], level: int = 1) -> FlowOutline:
    """`flow_templates`: JobFlowTemplates by name."""
    steps = {step.name: step for step in (*spec.flows, *spec.finally_)}
    inner = {}
    for step in steps.values():
        found = _inner_spec(step, flow_templates) if level < MAX_LEVELS else None
        if found is not None:
            inner[step.name] = outline(found, flow_templates, level + 1)
    return FlowOutline(spec, steps, inner)


def _inner_spec(step: Step, flow_templates: Mapping[str, Body]) -> JobFlowSpec | None:
    if step.flow is None:
        return None
    if step.flow.template:
        return read_spec(flow_templates.get(step.flow.template))
    return inline_spec(step.flow)
