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
from drawing.svg.legend import ROW, Entry, entries, legend, rows
from drawing.timeline.model import Timeline
from drawing.timeline.picture import StepLink, gantt
from shared.model.phases import StepPhase

_MARGIN: Final = 12.0
_LEGEND_WIDTH: Final = 900.0


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


def legend_element(picture: Drawing | Layers) -> str:
    """Every phase, and the arrows of the picture."""
    phases: list[Entry] = [("phase", phase.lower(), f"{SYMBOLS[phase]} {phase}") for phase in StepPhase]
    drawn = picture.drawing if isinstance(picture, Layers) else picture
    others = [] if isinstance(picture, Layers) else [e for e in entries(drawn, arranged(drawn)) if e[0] != "phase"]
    lines = rows([*(phases if drawn.live else []), *others], _LEGEND_WIDTH)
    return _element("Legend", (_LEGEND_WIDTH, ROW * len(lines)), legend(lines))


def _element(title: str, size: Point, inner: Iterator[str]) -> str:
    total = (size[0] + 2 * _MARGIN, size[1] + 2 * _MARGIN)
    first = opening(total, title, "group")
    return "\n".join(
        (first, markers(), f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">', *inner, "</g></svg>")
    )
