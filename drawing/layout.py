"""Positions of boxes and arrows: layers from left to right (Sugiyama's method, by fast-sugiyama). Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

PITCH: Final = 58.0  # from the middle of a box to the next below it
HEIGHT: Final = 40.0
_DUMMY: Final = 0.4  # of a pitch, for an arrow that passes between boxes
_LEAST_GAP: Final = 56.0
_MOST_GAP: Final = 180.0
_SLOPE: Final = 0.12  # of the longest way up or down that an arrow takes between two layers
_TALL: Final = 6  # how many times higher than wide, in boxes, a grid of steps without arrows is

Point = tuple[float, float]


class Placed(msgspec.Struct, frozen=True):
    """A box by its left upper corner."""

    x: float
    y: float
    width: float
    height: float = HEIGHT

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class Layout(msgspec.Struct, frozen=True):
    """`routes`: for each (source, target) the points of its arrow, pairs of them: each pair is straight through a layer,
    between pairs it bends. Nothing else stands on those lines."""

    boxes: Mapping[str, Placed]
    routes: Mapping[tuple[str, str], tuple[Point, ...]]
    width: float
    height: float


def layout(names: Sequence[str], arrows: Sequence[tuple[str, str]], widths: Mapping[str, float]) -> Layout:
    """`arrows` must have no cycle, no repetition, and only `names`."""
    layers, across, chains = _ranked(names, arrows)
    columns = _columns(names, layers, across, chains, widths)
    boxes = {
        name: Placed(columns[layers[place]][0], across[place] - HEIGHT / 2, columns[layers[place]][1])
        for place, name in enumerate(names)
    }
    routes = {(names[chain[0]], names[chain[-1]]): tuple(_route(chain, layers, across, columns)) for chain in chains}
    width = max((box.x + box.width for box in boxes.values()), default=0.0)
    height = max((across[each] for each in across), default=0.0) + HEIGHT / 2
    return Layout(boxes, routes, width, height)


def _ranked(
    names: Sequence[str], arrows: Sequence[tuple[str, str]]
) -> tuple[dict[int, int], dict[int, float], list[list[int]]]:
    """(layer, position across) of every box and bend by number, and each arrow as the numbers it passes.

    Parts that hang together are laid out on their own and put below each other; steps alone come last, in a grid.
    """
    number = {name: place for place, name in enumerate(names)}
    layers: dict[int, int] = {}
    across: dict[int, float] = {}
    chains: list[list[int]] = []
    top, fresh = HEIGHT / 2, len(names)
    parts = _parts(names, arrows)
    for part in (part for part in parts if len(part) > 1):
        positions, links = _laid_out(part, [arrow for arrow in arrows if arrow[0] in set(part)])
        # The library numbers boxes as we gave them and bends after them.
        real = len(part)
        renamed = {each: number[part[each]] if each < real else fresh + each for each, _ in positions}
        fresh += max(each for each, _ in positions) + 1
        first = max(y for _, (_, y) in positions)
        side = _side(positions, real)
        least = min(side * x for _, (x, _) in positions)
        for each, (x, y) in positions:
            layers[renamed[each]] = round((first - y) / PITCH)
            across[renamed[each]] = side * x - least + top
        chains += _chains([(renamed[source], renamed[target]) for source, target in links], len(names))
        top = max(across.values()) + PITCH * 1.5
    _as_written(across, chains)
    alone = [number[part[0]] for part in parts if len(part) == 1]
    columns = max(math.isqrt(len(alone) // _TALL), 1)
    for place, each in enumerate(alone):
        layers[each], across[each] = place % columns, top + place // columns * PITCH
    return layers, across, chains


def _as_written(across: dict[int, float], chains: Sequence[Sequence[int]]) -> None:
    """Boxes that have the same neighbours change places until they stand in the order in which they were written."""
    beside: dict[int, list[tuple[str, int]]] = {}
    for chain in chains:
        for each, side, other in ((chain[0], "after", chain[-1]), (chain[-1], "before", chain[0])):
            bent = len(chain) > 2  # such a box stays where its arrow bends
            beside.setdefault(each, []).append(("alone", each) if bent else (side, other))
    groups: dict[frozenset[tuple[str, int]], list[int]] = {}
    for each, others in beside.items():
        groups.setdefault(frozenset(others), []).append(each)
    for group in groups.values():
        places = sorted(across[each] for each in group)
        across.update(zip(sorted(group), places, strict=True))


def _parts(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The names that arrows join, in the given order; the largest parts first."""
    beside: dict[str, list[str]] = {name: [] for name in names}
    for source, target in arrows:
        beside[source].append(target)
        beside[target].append(source)
    part_of: dict[str, int] = {}
    for name in names:
        waiting = [name] if name not in part_of else []
        part = len(part_of)
        while waiting:
            each = waiting.pop()
            if each not in part_of:
                part_of[each] = part
                waiting.extend(beside[each])
    parts: dict[int, list[str]] = {}
    for name in names:
        parts.setdefault(part_of[name], []).append(name)
    return sorted(parts.values(), key=len, reverse=True)


def _laid_out(
    part: Sequence[str], arrows: Sequence[tuple[str, str]]
) -> tuple[list[tuple[int, Point]], list[tuple[int, int]]]:
    """(number, (across, down)) of every box and bend of a part, and the links between them."""
    from fast_sugiyama import from_edges

    number = {name: place for place, name in enumerate(part)}
    edges = [(number[source], number[target]) for source, target in arrows]
    found = from_edges(
        edges, minimum_length=1, vertex_spacing=PITCH, dummy_vertices=True, dummy_size=_DUMMY, check_layout=False
    )
    ((positions, _, _, links),) = found
    return (
        [(int(each), (point[0], point[1])) for each, point in positions],
        [(int(source), int(target)) for source, target in links or ()],
    )


def _side(positions: Sequence[tuple[int, Point]], real: int) -> int:
    """-1 where the mirror image has more of the steps in the order in which they were written, else 1."""
    layers: dict[float, list[tuple[float, int]]] = {}
    for each, (x, y) in positions:
        if each < real:  # a box
            layers.setdefault(y, []).append((x, each))
    pairs = [pair for found in layers.values() for pair in pairwise(sorted(found))]
    return -1 if sum(1 if before[1] < after[1] else -1 for before, after in pairs) < 0 else 1


def _chains(links: Sequence[tuple[int, int]], real: int) -> Iterator[list[int]]:
    """The links of a bent arrow joined: from a box over numbers that are none to a box."""
    after = {source: target for source, target in links if source >= real}
    for source, target in links:
        if source < real:
            chain = [source, target]
            while chain[-1] >= real:
                chain.append(after[chain[-1]])
            yield chain


def _columns(
    names: Sequence[str],
    layers: Mapping[int, int],
    across: Mapping[int, float],
    chains: Sequence[Sequence[int]],
    widths: Mapping[str, float],
) -> list[tuple[float, float]]:
    """(left, width) of every layer: as wide as its widest box, and apart enough for the steepest arrow."""
    count = max(layers.values(), default=-1) + 1
    wide = [0.0] * count
    steep = [0.0] * count
    for place, name in enumerate(names):
        wide[layers[place]] = max(wide[layers[place]], widths[name])
    for chain in chains:
        for source, target in pairwise(chain):
            steep[layers[source]] = max(steep[layers[source]], abs(across[target] - across[source]))
    columns = []
    left = 0.0
    for width, way in zip(wide, steep, strict=True):
        columns.append((left, width))
        left += width + min(max(_LEAST_GAP, way * _SLOPE), _MOST_GAP)
    return columns


def _route(
    chain: Sequence[int],
    layers: Mapping[int, int],
    across: Mapping[int, float],
    columns: Sequence[tuple[float, float]],
) -> Iterator[Point]:
    for place, each in enumerate(chain):
        left, width = columns[layers[each]]
        if place > 0:
            yield left, across[each]
        if place < len(chain) - 1:
            yield left + width, across[each]
