"""Groups of steps of equal shape: the same note, and arrows of the same meaning from and to groups of equal shape.

600 lanes of three steps behind one splitter become three boxes. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from drawing.flow_view import StepView
from drawing.graph_model import Arrow, Box, Drawing
from drawing.layers import depths
from shared.model.phases import StepPhase

LEAST: Final = 4  # steps that are worth a group
_ROUNDS: Final = 60
URGENCY: Final = (
    StepPhase.FAILED,
    StepPhase.TERMINATED,
    StepPhase.RETRYING,
    StepPhase.RUNNING,
    StepPhase.PENDING,
    StepPhase.SUSPENDED,
    StepPhase.WAITING,
    StepPhase.COMPLETED,
    StepPhase.SKIPPED,
)
"""What one would look at first."""


def grouped(drawing: Drawing) -> Drawing:
    """The same flow with one box for each group. A picture without groups is returned as it is."""
    groups = [group for group in _classes(drawing) if len(group) >= LEAST]
    if not groups:
        return drawing
    made = {group[0].name: _box(group) for group in groups}
    owner = {box.name: made[group[0].name].name for group in groups for box in group}
    boxes = [
        _behind(made.get(box.name, box), owner) for box in drawing.boxes if box.name not in owner or box.name in made
    ]
    arrows: dict[tuple[str, str], Arrow] = {}
    for arrow in drawing.arrows:
        source, target = owner.get(arrow.source, arrow.source), owner.get(arrow.target, arrow.target)
        arrows.setdefault((source, target), Arrow(source, target, arrow.meaning))
    part = f"{len(drawing.flow.steps)} steps, those of equal shape in one box"
    return msgspec.structs.replace(drawing, boxes=tuple(boxes), arrows=tuple(arrows.values()), part=part)


def member_names(drawing: Drawing, name: str) -> tuple[str, ...]:
    """The steps of the group of `name`, itself included."""
    for group in _classes(drawing):
        if any(box.name == name for box in group):
            return tuple(box.name for box in group)
    return (name,)


def worst(steps: Sequence[StepView]) -> StepPhase:
    """The phase that a box for all of them shows: a failure, else what runs, else what waits, else completed."""
    found = {step.phase for step in steps}
    return next((phase for phase in URGENCY if phase in found), StepPhase.WAITING)


def _box(group: Sequence[Box]) -> Box:
    steps = tuple(box.step for box in group)
    first, last = steps[0].name, steps[-1].name
    stands = msgspec.structs.replace(steps[0], name=f"{first} … {last}", phase=worst(steps), reason="", message="")
    return Box(stands, group[0].note, steps)


def _behind(box: Box, owner: Mapping[str, str]) -> Box:
    """A step that waits for groups where it waited for their members."""
    targets = tuple(dict.fromkeys(owner.get(target, target) for target in box.step.targets))
    return msgspec.structs.replace(box, step=msgspec.structs.replace(box.step, targets=targets))


def _classes(drawing: Drawing) -> list[list[Box]]:
    """Boxes of equal shape. All of a class are in the same layer, so that classes have no cycle."""
    layer = depths(drawing)
    colours = _numbered({box.name: (layer[box.name], box.note, box.step.kind) for box in drawing.boxes})
    before: dict[str, list[Arrow]] = {}
    after: dict[str, list[Arrow]] = {}
    for arrow in drawing.arrows:
        before.setdefault(arrow.target, []).append(arrow)
        after.setdefault(arrow.source, []).append(arrow)
    count = 0
    for _ in range(_ROUNDS):
        if count == (count := len(set(colours.values()))):
            break
        colours = _numbered(
            {
                name: (
                    colour,
                    tuple(sorted((colours[arrow.source], arrow.meaning) for arrow in before.get(name, ()))),
                    tuple(sorted((colours[arrow.target], arrow.meaning) for arrow in after.get(name, ()))),
                )
                for name, colour in colours.items()
            }
        )
    classes: dict[int, list[Box]] = {}
    for box in drawing.boxes:
        classes.setdefault(colours[box.name], []).append(box)
    return list(classes.values())


def _numbered(shapes: Mapping[str, object]) -> dict[str, int]:
    """A number for each different shape, in order of first occurrence."""
    numbers: dict[object, int] = {}
    return {name: numbers.setdefault(shape, len(numbers)) for name, shape in shapes.items()}
