"""Positions on a picture: boxes by their corner, arrows by points. Sizes are in pixels."""

from collections.abc import Mapping
from typing import Final

import msgspec

PITCH: Final = 58.0  # distance from the middle of a box to the middle of the next one below
HEIGHT: Final = 40.0
NARROW: Final = 0.4  # share of a pitch for an arrow that passes between boxes

Point = tuple[float, float]
Edge = tuple[int, int]


class Placed(msgspec.Struct, frozen=True):
    """The upper left corner of a box."""

    x: float
    y: float
    width: float
    height: float = HEIGHT

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class Layout(msgspec.Struct, frozen=True):
    """`routes`: for each (source, target) the points of its arrow. The first and the last point are at the boxes. From
    the first to the second point the arrow bends, from the second to the third it is straight, and so on in turns.
    No box stands on the straight parts, nor on the bends of arrows that lead to the next layer."""

    boxes: Mapping[str, Placed]
    routes: Mapping[tuple[str, str], tuple[Point, ...]]
    width: float
    height: float


class Ranks(msgspec.Struct, frozen=True):
    """Boxes and bends of arrows by number, the boxes first. `layers`: from left to right; `across`: the distance of the
    middle from the top; `chains`: each arrow as the numbers that it passes."""

    layers: Mapping[int, int]
    across: Mapping[int, float]
    chains: tuple[tuple[int, ...], ...]
