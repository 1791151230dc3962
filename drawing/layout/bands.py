"""Long rows of layers, broken into bands below each other like the lines of a text. Pure."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from drawing.layout.model import HEIGHT, Point, Ranks

_WIDE: Final = 1800.0  # a picture up to this width is never broken
_SHAPE: Final = 9 / 16  # height by width of a broken picture
_GUTTER: Final = 36.0
_LANE: Final = 7.0
_LANES: Final = 24  # at most so many arrows lead from one band to the next
EDGE: Final = 44.0  # room beside the bands for the arrows that lead on


class Lane(msgspec.Struct, frozen=True):
    """A layer: its left side, its width, the band that it stands in, and how far that band is moved down."""

    left: float
    width: float
    band: int = 0
    down: float = 0.0

    @property
    def right(self) -> float:
        return self.left + self.width


def banded(columns: Sequence[Lane], ranks: Ranks) -> tuple[Lane, ...]:
    """The columns as given where one row serves, else in bands of about equal width."""
    starts = _starts(columns, ranks)
    if len(starts) == 1:
        return tuple(columns)
    spans = [_span(ranks, start, end) for start, end in pairwise((*starts, len(columns)))]
    links = _crossing(ranks, len(columns))
    made: list[Lane] = []
    top = spans[0][0]
    for band, (start, end) in enumerate(pairwise((*starts, len(columns)))):
        down = top - spans[band][0]
        for column in columns[start:end]:
            made.append(Lane(EDGE + column.left - columns[start].left, column.width, band, down))
        top = spans[band][1] + down + HEIGHT + _GUTTER + _LANE * (links[end - 1] if end < len(columns) else 0)
    return tuple(made)


def detour(source: Lane, bottom: float, lane: int) -> tuple[Point, Point]:
    """Between two bands: the straight part of an arrow that turns back. `bottom`: of the band of its source."""
    level = bottom + _GUTTER / 3 + lane * _LANE
    return (source.right, level), (EDGE, level)


def bottoms(columns: Sequence[Lane], ranks: Ranks) -> list[float]:
    """The lower side of each band."""
    found = [0.0] * (max((column.band for column in columns), default=-1) + 1)
    for each, layer in ranks.layers.items():
        column = columns[layer]
        found[column.band] = max(found[column.band], ranks.across[each] + column.down + HEIGHT / 2)
    return found


def _starts(columns: Sequence[Lane], ranks: Ranks) -> list[int]:
    """The first layer of each band."""
    width = columns[-1].right if columns else 0.0
    if width <= _WIDE or any(
        ranks.layers[b] - ranks.layers[a] != 1 for chain in ranks.chains for a, b in pairwise(chain)
    ):
        return [0]
    top, bottom = _span(ranks, 0, len(columns))
    count = round(math.sqrt(width * _SHAPE / (bottom - top + HEIGHT + _GUTTER)))
    links = _crossing(ranks, len(columns))
    starts = [0]
    for number in range(1, count):
        wanted = width * number / count
        near = [
            place
            for place in range(starts[-1] + 1, len(columns))
            if abs(columns[place].left - wanted) < width / count / 4 and links[place - 1] <= _LANES
        ]
        if near:
            starts.append(min(near, key=lambda place: (links[place - 1], abs(columns[place].left - wanted))))
    return starts


def _span(ranks: Ranks, start: int, end: int) -> Point:
    """The middles of the highest and the lowest node in layers from `start` up to, not including, `end`."""
    found = [ranks.across[each] for each, layer in ranks.layers.items() if start <= layer < end]
    return min(found), max(found)


def _crossing(ranks: Ranks, count: int) -> list[int]:
    """For each layer the arrows that lead from it to the next one."""
    found = [0] * count
    for chain in ranks.chains:
        for each in chain[:-1]:
            found[ranks.layers[each]] += 1
    return found
