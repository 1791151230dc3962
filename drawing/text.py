"""Renders a drawing for terminals: a tree, or a bar for each layer. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from drawing.flow_view import StepView
from drawing.graph_model import Box, Drawing, Meaning
from drawing.layers import Layers, shares
from drawing.phase_style import COLOURS, SYMBOLS
from drawing.styled_line import StyledLine
from drawing.tree import branches
from shared.codec.plural import number_of
from shared.model.phases import StepPhase

_BAR: Final = 40  # characters of the longest bar
_WORDS: Final = {
    Meaning.FAILED: "if failed",
    Meaning.ENDED: "ended",
    Meaning.PROBE: "while it runs",
    Meaning.SWITCH: "",
}


def ascii_tree(drawing: Drawing) -> Iterator[StyledLine]:
    """Each step below the last of the steps that it waits for; `<- c` names the others."""
    yield StyledLine.of((drawing.flow.name, "bold"), (f"  {drawing.part}" if drawing.part else "", "dim"))
    notes = {box.name: " · ".join(_notes(box)) for box in (*drawing.boxes, *drawing.finals)}
    meanings = {arrow.target: arrow.meaning for arrow in drawing.arrows}
    for row in branches([box.step for box in drawing.boxes]):
        name = row.step.name
        line = StyledLine.of((row.prefix, "dim"), _named(drawing, row.step))
        said = [notes[name], _WORDS.get(meanings.get(name, Meaning.COMPLETED), "")]
        said.append(f"<- {', '.join(row.others)}" if row.others else "")
        line.append("".join(f"  {part}" for part in said if part), "dim")
        yield line
    if drawing.finals:
        yield StyledLine("finally", "bold")
        yield from (StyledLine(*_named(drawing, box.step)) for box in drawing.finals)


def _notes(box: Box) -> Iterator[str]:
    if box.members:
        yield number_of(len(box.members), "step")
    if box.note:
        yield box.note


def _named(drawing: Drawing, step: StepView) -> tuple[str, str]:
    """The text and its style."""
    if not drawing.live:
        return step.name, ""
    style = "bold underline" if step.name == drawing.centre else ""
    return f"{SYMBOLS[step.phase]} {step.name}  {step.phase}", f"{style} {COLOURS.get(step.phase, '')}".strip()


def layer_bars(view: Layers) -> Iterator[StyledLine]:
    """A line for each layer: its number of steps, a bar of their phases, how many are in which phase."""
    most = max((len(bar.steps) for bar in view.bars), default=1)
    labels = max((len(bar.label) for bar in view.bars), default=0)
    flow = view.drawing.flow
    yield StyledLine.of((flow.name, "bold"), (f"  {len(flow.steps)} steps, a bar for each layer", "dim"))
    for bar in view.bars:
        counts = shares(bar.steps) if view.drawing.live else {}
        long = max(round(_BAR * len(bar.steps) / most), 1)
        yield StyledLine.of(
            f"{bar.label:<{labels}}  {len(bar.steps):>5}  ",
            *(_blocks(counts, long) if counts else [("█" * long, "")]),
            " " * (_BAR - long + 2),
            *((f"{SYMBOLS[phase]} {count}  ", COLOURS.get(phase, "")) for phase, count in counts.items()),
        )


def _blocks(counts: Mapping[StepPhase, int], long: int) -> Iterator[tuple[str, str]]:
    """Pieces that are `long` together; a phase with few steps may get none."""
    total, drawn, seen = sum(counts.values()), 0, 0
    for phase, count in counts.items():
        seen += count
        piece = round(long * seen / total) - drawn
        drawn += piece
        yield "█" * piece, COLOURS.get(phase, "")
