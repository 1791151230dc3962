"""A flow as one bar for each layer: how many of its steps are in which phase. Pure."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from drawing.flow_view import StepView
from drawing.graph_model import Drawing
from drawing.layout.layering import longest_paths
from shared.model.phases import StepPhase

MOST: Final = 60  # bars; a flow with more layers has several of them in each bar
ORDER: Final = (
    StepPhase.COMPLETED,
    StepPhase.SKIPPED,
    StepPhase.FAILED,
    StepPhase.TERMINATED,
    StepPhase.RETRYING,
    StepPhase.RUNNING,
    StepPhase.PENDING,
    StepPhase.SUSPENDED,
    StepPhase.WAITING,
)
"""From left to right in a bar: what has ended, what runs, what waits."""


class Bar(msgspec.Struct, frozen=True):
    """Layers `first` to `last`, from 1; both 0 for `finally`."""

    first: int
    last: int
    steps: tuple[StepView, ...]

    @property
    def label(self) -> str:
        if not self.first:
            return "finally"
        return f"layer {self.first}" if self.first == self.last else f"layers {self.first}–{self.last}"


class Layers(msgspec.Struct, frozen=True):
    drawing: Drawing
    bars: tuple[Bar, ...]


def layers(drawing: Drawing) -> Layers:
    """Layers from the first to the last, `finally` at the end."""
    found = depths(drawing)
    count = max(found.values(), default=-1) + 1
    size = max(math.ceil(count / MOST), 1)
    members: dict[int, list[StepView]] = {}
    for box in drawing.boxes:
        members.setdefault(found[box.name] // size, []).append(box.step)
    bars = [
        Bar(place * size + 1, min((place + 1) * size, count), tuple(steps)) for place, steps in sorted(members.items())
    ]
    if drawing.finals:
        bars.append(Bar(0, 0, tuple(box.step for box in drawing.finals)))
    return Layers(drawing, tuple(bars))


def depths(drawing: Drawing) -> dict[str, int]:
    """The layer of each step of `flows`, from 0."""
    number = {box.name: place for place, box in enumerate(drawing.boxes)}
    edges = [(number[arrow.source], number[arrow.target]) for arrow in drawing.arrows]
    return dict(zip(number, longest_paths(len(number), edges), strict=True))


def shares(steps: tuple[StepView, ...]) -> Mapping[StepPhase, int]:
    """How many steps are in each phase, in ORDER, without those that no step is in."""
    counts = Counter(step.phase for step in steps)
    return {phase: counts[phase] for phase in ORDER if counts[phase]}
