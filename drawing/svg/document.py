"""Pictures of flows as SVG: a file of its own, with its colours for light and dark pages, or a part of a page. Pure."""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from drawing.graph_model import Drawing
from drawing.layers import Layers
from drawing.layout.model import Point
from drawing.svg.arrangement import arranged
from drawing.svg.arrows import markers
from drawing.svg.bars import PITCH, WIDTH, bars
from drawing.svg.graph import graph
from drawing.svg.legend import ROW, Entry, entries, legend, phase_entries, rows
from drawing.svg.style import style

_MARGIN: Final = 24.0
_TOP: Final = 64.0
_TITLE: Final = 9.7  # width of a character of the title


def svg(picture: Drawing | Layers) -> str:
    """The whole document, with a title and a legend. Its identifiers may stand in one page with others of the kind."""
    if isinstance(picture, Layers):
        title = f"{_title(picture.drawing)} · a bar for each layer of its {len(picture.drawing.flow.steps)} steps"
        found = list(phase_entries(picture.drawing)) if picture.drawing.live else []
        return _document(title, found, (WIDTH, PITCH * len(picture.bars)), bars(picture))
    arrangement = arranged(picture)
    title = _title(picture) + (f" · {picture.part}" if picture.part else "")
    found = list(entries(picture, arrangement))
    return _document(title, found, (arrangement.width, arrangement.height), graph(picture, arrangement))


def _document(title: str, found: list[Entry], size: Point, inner: Iterator[str]) -> str:
    width = max(size[0], len(title) * _TITLE, 420.0)
    lines = rows(found, width)
    below = _TOP + size[1] + 24
    total = (width + 2 * _MARGIN, below + ROW * len(lines) + _MARGIN)
    parts = [
        opening(total, title, "img"),
        f"<title>{escape(title)}</title>",
        f"<style>{style('.jobflow')}</style>",
        markers(),
        f'<rect class="paper" width="{total[0]:.0f}" height="{total[1]:.0f}"/>',
        f'<text class="title" x="{_MARGIN:.0f}" y="36">{escape(title)}</text>',
        f'<g transform="translate({_MARGIN:.0f} {_TOP:.0f})">',
        *inner,
        "</g>",
        f'<g transform="translate({_MARGIN:.0f} {below:.0f})">',
        *legend(lines),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def opening(size: Point, title: str, role: str) -> str:
    across, down = (f"{length:.0f}" for length in size)
    box = f'viewBox="0 0 {across} {down}" width="{across}" height="{down}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" class="jobflow" {box} role="{role}" aria-label={quoteattr(title)}>'


def _title(drawing: Drawing) -> str:
    flow = drawing.flow
    if not drawing.live:
        return f"JobFlow {flow.name}"
    ended = sum(1 for step in flow.steps if step.phase.ended)
    return f"JobFlow {flow.namespace}/{flow.name}: {flow.phase}, {ended}/{len(flow.steps)}"
