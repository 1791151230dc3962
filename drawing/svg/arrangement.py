"""The positions of all parts of a drawing. They depend on the spec alone, so a flow that runs is arranged once. Pure."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from drawing.graph_model import Arrow, Box, Drawing
from drawing.layout.bundles import Bundle, bundled
from drawing.layout.grids import Block, folded, spread, standing
from drawing.layout.model import HEIGHT, PITCH, Layout, Placed
from drawing.layout.placing import layout
from drawing.svg.arrows import KNOT
from drawing.svg.boxes import width

_KEPT: Final = 32  # arrangements; one of 2000 steps takes about 2 MB
_INSET: Final = 12.0
_FINALLY: Final = 58.0  # from the flow to the boxes of `finally`
_LEAST_WIDTH: Final = 600.0


class Arrangement(msgspec.Struct, frozen=True):
    """`blocks`: frames with several steps; `bundle`: arrows and knots; `finals`: the boxes of `finally`; `bottom`: the
    lower side of everything."""

    bundle: Bundle
    blocks: Mapping[str, Block]
    placed: Layout
    finals: Mapping[str, Placed]

    @property
    def width(self) -> float:
        return max([self.placed.width, *(at.x + at.width + _INSET for at in self.finals.values())])

    @property
    def height(self) -> float:
        return max([self.placed.height, *(at.y + at.height + _INSET for at in self.finals.values())])


def line_count(drawing: Drawing) -> int:
    """How many arrows are drawn. Found without placing anything, which takes long for many."""
    _, arrows = folded({box.name: 0.0 for box in drawing.boxes}, drawing.arrows)
    return len(bundled(arrows).arrows)


def arranged(drawing: Drawing) -> Arrangement:
    return _arranged(_widths(drawing.boxes, drawing.live), _widths(drawing.finals, drawing.live), drawing.arrows)


def _widths(boxes: tuple[Box, ...], live: bool) -> tuple[tuple[str, float], ...]:
    return tuple((box.name, width(box, live)) for box in boxes)


@lru_cache(_KEPT)
def _arranged(
    boxes: tuple[tuple[str, float], ...], finals: tuple[tuple[str, float], ...], given: tuple[Arrow, ...]
) -> Arrangement:
    widths = dict(boxes)
    blocks, arrows = folded(widths, given)
    bundle = bundled(arrows)
    names = [*standing(widths, blocks), *bundle.knots]
    widths |= dict.fromkeys(bundle.knots, KNOT) | {name: block.size[0] for name, block in blocks.items()}
    placed = spread(layout(names, [(each.source, each.target) for each in bundle.arrows], widths), blocks)
    return Arrangement(bundle, blocks, placed, dict(_finals(finals, placed)))


def _finals(finals: tuple[tuple[str, float], ...], placed: Layout) -> Iterator[tuple[str, Placed]]:
    """The boxes of `finally` in rows at the bottom."""
    x, y = _INSET, placed.height + _FINALLY if placed.boxes else _FINALLY - HEIGHT / 2
    limit = max(placed.width, _LEAST_WIDTH)
    for name, wide in finals:
        if x > _INSET and x + wide + _INSET > limit:
            x, y = _INSET, y + PITCH
        yield name, Placed(x, y, wide)
        x += wide + 18
