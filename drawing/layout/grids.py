"""Grids: steps with the same sources and targets are drawn in one frame, with one arrow for all of them. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from drawing.graph_model import Arrow, Meaning
from drawing.layout.model import HEIGHT, PITCH, Layout, Placed, Point

LEAST: Final = 12  # minimum number of steps for a frame
_MARK: Final = "\0frame "  # no step's name has it
_PAD: Final = 12.0
_GAP: Final = 14.0
_TALL: Final = 1.2  # ratio of height to width of a frame

Ends = dict[str, set[tuple[str, Meaning]]]


class Block(msgspec.Struct, frozen=True):
    """A frame with its steps. `width`: minimum width of its boxes."""

    members: tuple[str, ...]
    width: float

    @property
    def columns(self) -> int:
        return max(round(math.sqrt(len(self.members) * PITCH / (_TALL * (self.width + _GAP)))), 1)

    @property
    def size(self) -> Point:
        """(width, height) of the frame."""
        rows = math.ceil(len(self.members) / self.columns)
        return self.columns * (self.width + _GAP) - _GAP + 2 * _PAD, rows * PITCH - (PITCH - HEIGHT) + 2 * _PAD

    def inside(self, at: Placed) -> dict[str, Placed]:
        """The positions of its boxes, row by row, for the frame at position `at`."""
        across = (at.width - 2 * _PAD + _GAP) / self.columns
        places = ((divmod(place, self.columns), name) for place, name in enumerate(self.members))
        return {
            name: Placed(at.x + _PAD + column * across, at.y + _PAD + row * PITCH, across - _GAP)
            for (row, column), name in places
        }


def folded(widths: Mapping[str, float], arrows: Sequence[Arrow]) -> tuple[dict[str, Block], tuple[Arrow, ...]]:
    """The blocks by a generated name, and the arrows between blocks and the other steps.

    `widths`: width of each box.
    """
    before: Ends = {}
    after: Ends = {}
    for arrow in arrows:
        before.setdefault(arrow.target, set()).add((arrow.source, arrow.meaning))
        after.setdefault(arrow.source, set()).add((arrow.target, arrow.meaning))
    groups: dict[tuple[frozenset[tuple[str, Meaning]], ...], list[str]] = {}
    for name in widths:
        if name in before or name in after:
            groups.setdefault((frozenset(before.get(name, ())), frozenset(after.get(name, ()))), []).append(name)
    many = [group for group in groups.values() if len(group) >= LEAST]
    blocks = {
        f"{_MARK}{place}": Block(tuple(group), max(widths[name] for name in group)) for place, group in enumerate(many)
    }
    owner = {name: block for block, made in blocks.items() for name in made.members}
    joined = (
        Arrow(owner.get(each.source, each.source), owner.get(each.target, each.target), each.meaning) for each in arrows
    )
    return blocks, tuple(dict.fromkeys(joined))


def spread(placed: Layout, blocks: Mapping[str, Block]) -> Layout:
    """Make room for the frames: everything below a frame moves down in all layers, so that straight lines stay
    straight.
    """
    extra: dict[float, float] = {}
    for name, block in blocks.items():
        middle = round(placed.boxes[name].middle)
        extra[middle] = max(extra.get(middle, 0.0), block.size[1] - HEIGHT)

    def moved(y: float) -> float:
        line = round(y)  # a box beside a frame stays beside it
        return y + sum(more if middle < line else more / 2 if middle == line else 0 for middle, more in extra.items())

    boxes = {name: _moved(box, moved(box.middle), blocks.get(name)) for name, box in placed.boxes.items()}
    inner = {name: at for block, made in blocks.items() for name, at in made.inside(boxes[block]).items()}
    routes = {ends: tuple((x, moved(y)) for x, y in points) for ends, points in placed.routes.items()}
    return Layout(boxes | inner, routes, placed.width, placed.height + sum(extra.values()))


def _moved(box: Placed, middle: float, block: Block | None) -> Placed:
    height = block.size[1] if block else box.height
    return Placed(box.x, middle - height / 2, box.width, height)


def standing(names: Iterable[str], blocks: Mapping[str, Block]) -> list[str]:
    """The names to lay out in the order of the spec: steps, and each block at the place of its first step."""
    owner = {name: block for block, made in blocks.items() for name in made.members}
    return list(dict.fromkeys(owner.get(name, name) for name in names))
