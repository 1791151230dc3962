"""Which part of a flow a picture shows, since no picture of 2000 steps can be read. Pure."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from drawing.graph_model import Arrow, Box, Drawing
from drawing.groups import URGENCY, grouped, member_names
from drawing.layers import Layers, depths, layers
from drawing.svg.arrangement import arranged, line_count
from shared.codec.plural import number_of

VISIBLE: Final = 300  # boxes of a picture that nobody asked for
LINES: Final = 600  # arrows of such a picture
SIDE: Final = 12_000  # its width and height in pixels
NEAR: Final = 150  # boxes of a neighbourhood
REACH: Final = 2  # arrows from a step to the end of its neighbourhood


class Section(StrEnum):
    """`AUTO`: the whole flow, or groups, or layers, whatever can be read."""

    AUTO = "auto"
    WHOLE = "whole"
    LAYERS = "layers"
    LAYER = "layer"
    GROUP = "group"
    AROUND = "around"


class Choice(msgspec.Struct, frozen=True):
    """`step`: of AROUND, or one of a GROUP; `first` and `last`: the numbers of the layers of LAYER, from 1; both 0 for
    `finally`."""

    part: Section = Section.AUTO
    step: str = ""
    first: int = 1
    last: int = 1


class NoSuchStep(Exception):
    """The flow has no step of that name."""


def chosen(drawing: Drawing, choice: Choice) -> Drawing | Layers:
    """The part of the flow. Raises NoSuchStep."""
    if choice.part in (Section.AROUND, Section.GROUP) and choice.step not in {step.name for step in drawing.flow.steps}:
        raise NoSuchStep(choice.step)
    return _PARTS[choice.part](drawing, choice)


def legible(drawing: Drawing) -> bool:
    """Whether a picture of the drawing can be read: its boxes, its arrows and its size are limited."""
    if len(drawing.boxes) > VISIBLE or line_count(drawing) > LINES:
        return False
    placed = arranged(drawing)
    return max(placed.width, placed.height) <= SIDE


def _auto(drawing: Drawing, _: Choice) -> Drawing | Layers:
    if legible(drawing):
        return drawing
    groups = grouped(drawing)
    return groups if legible(groups) else layers(drawing)


def _around(drawing: Drawing, choice: Choice) -> Drawing:
    """Two arrows up and two arrows down from a step, the nearest first, as many as can be read."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for arrow in drawing.arrows:
        before.setdefault(arrow.target, []).append(arrow.source)
        after.setdefault(arrow.source, []).append(arrow.target)
    near = dict.fromkeys([choice.step])
    up = down = [choice.step]
    for _ in range(REACH):
        up, down = _next(up, before), _next(down, after)
        near |= dict.fromkeys((*up, *down))
    part = _subset(drawing, list(near)[:NEAR])
    while not legible(part):
        part = _subset(drawing, list(near)[: len(part.boxes) * 2 // 3])
    left = len(near) - len(part.boxes) - len(part.finals)
    more = f", {left} more are near" if left else ""
    return msgspec.structs.replace(part, part=f"around {choice.step}: {_of(drawing, part)}{more}", centre=choice.step)


def _next(names: Iterable[str], beside: Mapping[str, list[str]]) -> list[str]:
    return list(dict.fromkeys(other for name in names for other in beside.get(name, ())))


def _layer(drawing: Drawing, choice: Choice) -> Drawing:
    """The steps of some layers, the most urgent first."""
    if not choice.first:
        return _list(drawing, "finally", [box.name for box in drawing.finals], arrows=False)
    found = depths(drawing)
    shown = [name for name, depth in found.items() if choice.first <= depth + 1 <= choice.last]
    what = f"layer {choice.first}" if choice.first == choice.last else f"layers {choice.first} to {choice.last}"
    return _list(drawing, what, shown, arrows=choice.first != choice.last)


def _group(drawing: Drawing, choice: Choice) -> Drawing:
    return _list(drawing, f"{choice.step} and steps like it", member_names(drawing, choice.step), arrows=False)


def _list(drawing: Drawing, what: str, names: Iterable[str], *, arrows: bool) -> Drawing:
    steps = {step.name: step for step in drawing.flow.steps}
    urgent = sorted(names, key=lambda name: URGENCY.index(steps[name].phase))
    part = _subset(drawing, urgent[:VISIBLE])
    return msgspec.structs.replace(
        part,
        arrows=part.arrows if arrows else (),
        part=f"{what}: {len(part.boxes) + len(part.finals)} of {number_of(len(urgent), 'step')}",
    )


def _subset(drawing: Drawing, names: Iterable[str]) -> Drawing:
    kept = set(names)

    def inside(arrow: Arrow) -> bool:
        return arrow.source in kept and arrow.target in kept

    def those(boxes: Iterable[Box]) -> tuple[Box, ...]:
        return tuple(box for box in boxes if box.name in kept)

    return msgspec.structs.replace(
        drawing,
        boxes=those(drawing.boxes),
        finals=those(drawing.finals),
        arrows=tuple(arrow for arrow in drawing.arrows if inside(arrow)),
    )


def _of(drawing: Drawing, part: Drawing) -> str:
    return f"{len(part.boxes) + len(part.finals)} of {number_of(len(drawing.flow.steps), 'step')}"


_PARTS: Final[dict[Section, Callable[[Drawing, Choice], Drawing | Layers]]] = {
    Section.AUTO: _auto,
    Section.WHOLE: lambda drawing, _: drawing,
    Section.LAYERS: lambda drawing, _: layers(drawing),
    Section.LAYER: _layer,
    Section.GROUP: _group,
    Section.AROUND: _around,
}
