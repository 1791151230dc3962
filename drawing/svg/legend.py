"""What the colours, symbols and lines of a picture mean. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from drawing.graph_model import Drawing, Meaning
from drawing.phase_style import SYMBOLS
from drawing.svg.arrangement import Arrangement
from drawing.svg.arrows import KNOT
from drawing.svg.style import CLASSES, DASHES, SMALL
from shared.model.phases import StepPhase

ROW: Final = 26.0
SAMPLE: Final = (30, 18)  # width and height of a sample
Entry = tuple[str, str, str]  # symbol, its CSS class or dashes, its meaning


def entries(drawing: Drawing, arrangement: Arrangement) -> Iterator[Entry]:
    """The entries for the symbols that occur in the picture."""
    if drawing.live:
        yield from phase_entries(drawing)
    used = {arrow.meaning for arrow in drawing.arrows}
    yield from (("arrow", meaning, meaning) for meaning in Meaning if meaning in used)
    if arrangement.bundle.knots:
        yield "knot", "", "each step after the dot waits for all steps before it"
    if arrangement.blocks:
        yield "frame", "", "an arrow to or from a frame applies to each step in it"


def phase_entries(drawing: Drawing) -> Iterator[Entry]:
    seen = {step.phase for step in drawing.flow.steps}
    return (("phase", phase.lower(), f"{SYMBOLS[phase]} {phase}") for phase in StepPhase if phase in seen)


def rows(found: Sequence[Entry], width: float) -> list[list[tuple[float, Entry]]]:
    """Each entry with its distance from the left."""
    made: list[list[tuple[float, Entry]]] = []
    x = width
    for entry in found:
        length = 40 + len(entry[2]) * SMALL * 1.1 + 22
        if not made or x + length > width:
            made.append([])
            x = 0.0
        made[-1].append((x, entry))
        x += length
    return made


def legend(found: Sequence[Sequence[tuple[float, Entry]]]) -> Iterator[str]:
    for number, row in enumerate(found):
        y = number * ROW
        for x, entry in row:
            yield f'<g transform="translate({x:.0f} {y:.0f})">{sample(entry)}</g>'
            yield f'<text class="small" x="{x + 36:.0f}" y="{y + 13:.0f}">{escape(entry[2])}</text>'


def sample(entry: Entry) -> str:
    """In the left upper corner, of the size SAMPLE."""
    what, name, _ = entry
    rectangle = 'x="1" y="2" width="28" height="14" rx="4"'
    if what == "phase":
        return f'<g class="step {name}"><rect {rectangle}/></g>'
    if what == "frame":
        return f'<rect class="frame" {rectangle}/>'
    if what == "knot":
        dot = f'<circle class="head ok" cx="14" cy="9" r="{KNOT / 2:.1f}"/>'
        return f'<path class="arrow ok" d="M0 9h28"/>{dot}'
    meaning = Meaning(name)
    kind, dash = CLASSES[meaning], DASHES[meaning]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path class="arrow {kind}" d="M0 9h22" marker-end="url(#{kind})"{dashes}/>'
