"""Which outputs a scenario must give: those that expressions read and that have no other source. Pure."""

import re
from collections.abc import Iterable, Iterator

from jobflow.simulation.jobs import clashing_outputs
from jobflow.simulation.outline import FlowOutline
from jobflow.simulation.scenario import JobScenario, OutputNeeded, ScenarioError
from jobflow.simulation.selectors import path_of
from shared.graphs.flow_graph import written_expressions
from shared.graphs.nesting import known_outputs
from shared.model.step import Step

_Path = tuple[str, ...]


def check_outputs(flow: FlowOutline, happens: JobScenario) -> None:
    """Raises OutputNeeded where an expression reads an output that the scenario does not give, and ScenarioError for outputs
    that no Job can have at once."""
    for prefix, within in flow.levels():
        if any(prefix.startswith(f"{each}/") for each in _wholly_told(happens)):
            continue
        steps = within.steps.values()
        for step in steps:
            _check_clash(f"{prefix}{step.name}", step)
        for reader, source, key in (*_of_steps(prefix, steps), *(_of_outputs(prefix, within) if prefix else ())):
            if not _is_told(prefix, source, key, within, happens):
                raise OutputNeeded(reader, f"{prefix}{source}", key)


def _wholly_told(happens: JobScenario) -> set[str]:
    """Steps for which the scenario gives the result of every attempt."""
    return {each for said in (happens.failures, happens.durations, happens.outputs) for each in said if _plain(each)}


def _plain(selector: str) -> bool:
    return "[" not in selector and ":" not in selector


def _is_told(prefix: str, source: str, key: str, flow: FlowOutline, happens: JobScenario) -> bool:
    name = f"{prefix}{source}"
    if any(path_of(selector) == path_of(name) and key in values for selector, values in happens.outputs.items()):
        return True
    return name in happens.failures or (source in flow.inner and name not in happens.durations)


def _check_clash(name: str, step: Step) -> None:
    if clash := clashing_outputs(step):
        one, other = clash
        raise ScenarioError(f"step {name}: output {one.name} is the whole message, and {other.name} a key in it")


def _of_steps(prefix: str, steps: Iterable[Step]) -> Iterator[tuple[str, str, str]]:
    """(reader, step, output) of every output that an expression of a step reads."""
    for step in steps:
        for each in written_expressions(step):
            for source, output in _read(each.text, steps):
                yield f"step {prefix}{step.name}", source, output
            for output in known_outputs(step):
                if re.search(rf"\blast\.outputs\.{output}\b", each.text):
                    yield f"step {prefix}{step.name}", step.name, output


def _of_outputs(prefix: str, flow: FlowOutline) -> Iterator[tuple[str, str, str]]:
    """Those that the outputs of a flow below read, which the flow above may read."""
    for each in flow.spec.outputs:
        for source, output in _read(each.expression, flow.steps.values()):
            yield f"output {each.name} of step {prefix.removesuffix('/')}", source, output


def _read(text: str, steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    for source in steps:
        for output in known_outputs(source):
            within = rf"steps(?:\.{re.escape(source.name)}|\[\"{source.name}\"\])(?:\.iterations\[\d+\])?\.outputs(?:\.{output}\b|\[\"{output}\"\])"
            if re.search(within, text):
                yield source.name, output
