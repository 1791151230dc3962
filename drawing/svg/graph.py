"""A drawing as SVG elements: boxes and arrows. Pure."""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from drawing.graph_model import Box, Drawing
from drawing.layout.model import HEIGHT, Placed
from drawing.svg.arrangement import Arrangement
from drawing.svg.arrows import arrows, knots
from drawing.svg.boxes import Link, Shown, box, shown


def graph(drawing: Drawing, arrangement: Arrangement, link: Link | None = None) -> Iterator[str]:
    """`link`: where a click on a box leads; without it boxes are no links."""
    says = {each.key: each for each in states(drawing)}
    yield from arrows(arrangement.bundle, arrangement.placed)
    yield from knots(arrangement.bundle, arrangement.placed)
    yield from (_frame(arrangement.placed.boxes[name]) for name in arrangement.blocks)
    yield from _boxes(drawing.boxes, arrangement.placed.boxes, says, link)
    if arrangement.finals:
        yield from _final_frame(arrangement.finals)
        yield from _boxes(drawing.finals, arrangement.finals, says, link)


def states(drawing: Drawing) -> Iterator[Shown]:
    """What each box says now."""
    for each in (*drawing.boxes, *drawing.finals):
        yield shown(each, live=drawing.live, centre=each.name == drawing.centre)


def _boxes(
    boxes: tuple[Box, ...], places: Mapping[str, Placed], says: Mapping[str, Shown], link: Link | None
) -> Iterator[str]:
    return (box(says[each.name], places[each.name], link(each) if link else "") for each in boxes)


def _frame(at: Placed) -> str:
    return f'<rect class="frame" x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.1f}" rx="9"/>'


def _final_frame(finals: Mapping[str, Placed]) -> Iterator[str]:
    top = min(at.y for at in finals.values()) - 26
    right = max(at.x + at.width for at in finals.values()) + 12
    bottom = max(at.y + HEIGHT for at in finals.values()) + 12
    yield _frame(Placed(0, top, max(right, 260), bottom - top))
    yield f'<text class="small" x="12" y="{top + 17:.1f}">{escape("finally: once every step has ended")}</text>'
