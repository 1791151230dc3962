"""Positions of boxes and arrows: layers from left to right. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from drawing.layout.bands import EDGE, Lane, banded, bottoms, detour
from drawing.layout.model import HEIGHT, Layout, Placed, Point, Ranks
from drawing.layout.ranks import ranked

_LEAST_GAP: Final = 56.0
_MOST_GAP: Final = 180.0
_SLOPE: Final = 0.12  # horizontal distance, as a share of the longest vertical distance of an arrow between two layers


def layout(names: Sequence[str], arrows: Sequence[tuple[str, str]], widths: Mapping[str, float]) -> Layout:
    """Positions for `names`. `arrows` must connect `names` without cycles and repetitions."""
    number = {name: place for place, name in enumerate(names)}
    ranks = ranked(len(names), [(number[source], number[target]) for source, target in arrows])
    columns = banded(_columns(names, ranks, widths), ranks)
    boxes = {}
    for place, name in enumerate(names):
        column = columns[ranks.layers[place]]
        boxes[name] = Placed(column.left, ranks.across[place] + column.down - HEIGHT / 2, column.width)
    router = _Router(ranks, columns, bottoms(columns, ranks), {})
    routes = {(names[chain[0]], names[chain[-1]]): tuple(router.route(chain)) for chain in ranks.chains}
    broken = len(router.lowest) > 1
    width = max((box.x + box.width for box in boxes.values()), default=0.0) + (EDGE if broken else 0.0)
    return Layout(boxes, routes, width, max(router.lowest, default=HEIGHT / 2))


def _columns(names: Sequence[str], ranks: Ranks, widths: Mapping[str, float]) -> list[Lane]:
    """One row of layers: each as wide as its widest box, with a distance that limits the slope of the steepest arrow."""
    count = max(ranks.layers.values(), default=-1) + 1
    wide, steep = [0.0] * count, [0.0] * count
    for place, name in enumerate(names):
        wide[ranks.layers[place]] = max(wide[ranks.layers[place]], widths[name])
    for chain in ranks.chains:
        for source, target in pairwise(chain):
            layer = ranks.layers[source]
            steep[layer] = max(steep[layer], abs(ranks.across[target] - ranks.across[source]))
    columns = []
    left = 0.0
    for width, way in zip(wide, steep, strict=True):
        columns.append(Lane(left, width))
        left += width + min(max(_LEAST_GAP, way * _SLOPE), _MOST_GAP)
    return columns


class _Router(msgspec.Struct, frozen=True):
    """`lowest`: the lower side of each band; `lanes`: arrows that lead from each band so far."""

    ranks: Ranks
    columns: Sequence[Lane]
    lowest: Sequence[float]
    lanes: dict[int, int]

    def route(self, chain: Sequence[int]) -> Iterator[Point]:
        before: Lane | None = None
        for place, each in enumerate(chain):
            column = self.columns[self.ranks.layers[each]]
            level = self.ranks.across[each] + column.down
            if before is not None and before.band != column.band:
                lane = self.lanes.get(before.band, 0)
                self.lanes[before.band] = lane + 1
                yield from detour(before, self.lowest[before.band], lane)
            if place > 0:
                yield column.left, level
            if place < len(chain) - 1:
                yield column.right, level
            before = column
