"""Checks that steps read only values of steps that end before them. Runs without CEL, when the flow's `with` block
ends."""

from collections.abc import Iterator, Mapping, Sequence

from jobflow.faults import LintFault
from jobflow.lint import reference_faults
from jobflow.manifests.placed import PlacedManifest
from jobflow.steps.step import FlowStep
from shared.graphs.directed import Ancestors


def unreadable(manifests: Sequence[PlacedManifest], steps: Mapping[str, FlowStep]) -> list[LintFault]:
    """One fault for each use of a step that is not upstream, and for each reference without a value."""
    return [*_of_expressions(manifests[-1], steps), *reference_faults(manifests)]


def _of_expressions(flow: PlacedManifest, steps: Mapping[str, FlowStep]) -> Iterator[LintFault]:
    if not any(any(step.reads.values()) for step in steps.values()):
        return
    before = Ancestors(_edges(steps))
    for step in steps.values():
        for field, names in step.reads.items():
            for name in sorted(names):
                if name in steps and (
                    before.before(step.name, name) or (step.in_finally and not steps[name].in_finally)
                ):
                    continue
                path = _path(flow, step, field)
                file, line = flow.written_at(path)
                yield LintFault(file, line, f"JobFlow {flow.name}", path, _message(step.name, name, name in steps))


def _message(step: str, name: str, exists: bool) -> str:
    if not exists:
        return f'step "{step}" reads step "{name}", which is not in this flow'
    return f'step "{step}" reads step "{name}", which does not end before it: write {name} >> {step}, directly or through others'


def _edges(steps: Mapping[str, FlowStep]) -> dict[str, tuple[str, ...]]:
    edges = {name: tuple(step.targets) for name, step in steps.items()}
    for name, step in steps.items():
        switch = step.fields.get("switch")
        for chosen in _chosen(switch) if switch else ():
            edges[chosen] = (*edges.get(chosen, ()), name)
    return edges


def _chosen(switch: Mapping[str, list[Mapping[str, list[str]]]]) -> Iterator[str]:
    for case in switch["cases"]:
        yield from case["run"]
    for name in switch.get("default", ()):
        yield str(name)


def _path(flow: PlacedManifest, step: FlowStep, field: str) -> str:
    listed = "finally" if step.in_finally else "flows"
    names = [each["name"] for each in flow.body["spec"][listed]]
    return f"spec.{listed}[{names.index(step.name)}].{field}"
