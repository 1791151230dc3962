"""Pictures as parts of a web page: only classes, no styles, with links; what changes later is in the states. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from drawing.graph_model import Drawing
from drawing.layers import Layers
from drawing.layout.model import Point
from drawing.phase_style import SYMBOLS
from drawing.svg.arrangement import arranged
from drawing.svg.arrows import markers
from drawing.svg.bars import PITCH, WIDTH, BarLink, bar_states, bars
from drawing.svg.boxes import Link, Shown
from drawing.svg.document import opening
from drawing.svg.graph import graph, states
from drawing.svg.legend import SAMPLE, Entry, entries, sample
from drawing.timeline.model import Timeline
from drawing.timeline.picture import StepLink, gantt
from shared.model.phases import StepPhase

_MARGIN: Final = 12.0


class Links(msgspec.Struct, frozen=True):
    """Where clicks lead."""

    box: Link
    bar: BarLink
    step: StepLink


def graph_element(picture: Drawing | Layers, links: Links) -> str:
    """One `svg` element of class `jobflow`. Elements with `data-key` are those of `graph_states`."""
    if isinstance(picture, Layers):
        return _element("Steps by layer", (WIDTH, PITCH * len(picture.bars)), bars(picture, links.bar))
    arrangement = arranged(picture)
    return _element("Graph", (arrangement.width, arrangement.height), graph(picture, arrangement, links.box))


def graph_states(picture: Drawing | Layers) -> tuple[Shown, ...]:
    """What each box or bar says now."""
    return tuple(bar_states(picture) if isinstance(picture, Layers) else states(picture))


def timeline_element(view: Timeline, links: Links) -> str:
    size, inner = gantt(view, links.step)
    return _element("Timeline", size, inner)


def legend_samples(picture: Drawing | Layers) -> tuple[tuple[str, str], ...]:
    """Every phase, and the arrows of the picture: an `svg` element and what it means."""
    drawn = picture.drawing if isinstance(picture, Layers) else picture
    found: list[Entry] = [("phase", phase.lower(), f"{SYMBOLS[phase]} {phase}") for phase in StepPhase]
    if isinstance(picture, Drawing):
        found = [*(found if drawn.live else []), *(e for e in entries(drawn, arranged(drawn)) if e[0] != "phase")]
    elif not drawn.live:
        found = []
    return tuple((_sample(entry), entry[2]) for entry in found)


def _sample(entry: Entry) -> str:
    return f'<svg class="jobflow" width="{SAMPLE[0]}" height="{SAMPLE[1]}" aria-hidden="true">{sample(entry)}</svg>'


def _element(title: str, size: Point, inner: Iterator[str]) -> str:
    total = (size[0] + 2 * _MARGIN, size[1] + 2 * _MARGIN)
    first = opening(total, title, "group")
    return "\n".join(
        (first, markers(), f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">', *inner, "</g></svg>")
    )
