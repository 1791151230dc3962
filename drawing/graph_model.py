"""The model of a drawing of a flow: boxes, arrows and what the arrows mean. Pure."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from drawing.flow_view import FlowView, StepView, flow_view
from shared.graphs import directed, flow_graph
from shared.model.flow import JobFlowSpec
from shared.model.phases import DependsCondition
from shared.model.step import Loop, Step
from shared.model.types import Body


class Meaning(StrEnum):
    """The condition under which a step waits for another; the value is the text of the legend."""

    COMPLETED = "after it completed"
    FAILED = "if it failed"
    ENDED = "after it ended"
    PROBE = "while it runs"
    SWITCH = "if the switch chooses it"


class Box(msgspec.Struct, frozen=True):
    """`note`: what is special about the step, in few words; `members`: the steps of a group, `step` then stands for all
    of them."""

    step: StepView
    note: str = ""
    members: tuple[StepView, ...] = ()

    @property
    def name(self) -> str:
        return self.step.name


class Arrow(msgspec.Struct, frozen=True):
    source: str
    target: str
    meaning: Meaning = Meaning.COMPLETED


class Drawing(msgspec.Struct, frozen=True):
    """`live`: the phases are those of a flow that exists; `finals`: boxes of `finally`; `part`: what it shows where that
    is not the whole flow; `centre`: the step that was asked for."""

    flow: FlowView
    boxes: tuple[Box, ...]
    finals: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    live: bool = False
    part: str = ""
    centre: str = ""


class Undrawable(Exception):
    """The flow's graph cannot be drawn, because it has a cycle."""


def drawing(body: Body, *, live: bool) -> Drawing:
    """Build the drawing. Raises Undrawable or flow_view.Unreadable."""
    flow = flow_view(body)
    spec = msgspec.convert(body.get("spec") or {}, JobFlowSpec)
    edges = flow_graph.edges(spec)
    if cycle := directed.cycle(edges):
        raise Undrawable(f"the steps wait for each other: {' -> '.join(cycle)}")
    steps = {step.name: step for step in (*spec.flows, *spec.finally_)}
    whens = dict(_choices(spec))
    boxes = [Box(view, _note(steps[view.name], whens.get(view.name, ""))) for view in flow.steps]
    return Drawing(
        flow=flow,
        boxes=tuple(box for box in boxes if not box.step.final),
        finals=tuple(box for box in boxes if box.step.final),
        arrows=tuple(_arrows(spec)),
        live=live,
    )


def _arrows(spec: JobFlowSpec) -> Iterator[Arrow]:
    """One arrow for each pair; none for targets that do not exist."""
    names = {step.name for step in spec.flows}
    for step in spec.flows:
        for target in dict.fromkeys(step.targets):
            if target in names:
                yield Arrow(target, step.name, _meaning(step))
    for step in spec.flows:
        for name in dict.fromkeys(name for _, name in flow_graph.chosen_by(step.switch)) if step.switch else ():
            chosen = next((each for each in spec.flows if each.name == name), None)
            if chosen is not None and step.name not in chosen.targets:
                yield Arrow(step.name, name, Meaning.SWITCH)


def _meaning(step: Step) -> Meaning:
    depends = step.depends_on
    if depends is not None and depends.probe is not None:
        return Meaning.PROBE
    condition = depends.condition if depends else None
    return {DependsCondition.FAILED: Meaning.FAILED, DependsCondition.ENDED: Meaning.ENDED}.get(
        condition or DependsCondition.COMPLETED, Meaning.COMPLETED
    )


def _choices(spec: JobFlowSpec) -> Iterator[tuple[str, str]]:
    for step in spec.flows:
        if step.switch is None:
            continue
        for case in step.switch.cases:
            for name in case.run:
                yield name, f"when {', '.join(case.when)}"
        for name in step.switch.default:
            yield name, "otherwise"


def _note(step: Step, when: str) -> str:
    """`switch`, `for 12 items`, `flow load`, `PyTorchJob`, `approval`, `daemon`, `when A, B`, `if`, `any of`."""
    depends = step.depends_on
    parts = (
        when,
        "switch" if step.switch else "",
        _loop(step.for_) if step.for_ else "",
        f"flow {step.flow.template}".rstrip() if step.flow else "",
        str(step.resource.manifest.get("kind") or "") if step.resource else "",
        "approval" if step.approve else "",
        "daemon" if step.daemon else "",
        "if …" if step.if_ is not None else "",
        "any one" if depends is not None and depends.strategy == "any" and len(depends.targets) > 1 else "",
        "may fail" if step.allow_failure else "",
    )
    return " · ".join(part for part in parts if part)


def _loop(loop: Loop) -> str:
    if loop.items is not None:
        return f"for {len(loop.items)} items"
    if loop.matrix is not None:
        return "for " + " × ".join(str(len(values)) for _, values in sorted(loop.matrix.items()))
    if loop.range is not None:
        step = loop.range.step or 1
        return f"for {len(range(loop.range.start, loop.range.end, step))} numbers"
    return "while …" if loop.while_ is not None else "for …"
