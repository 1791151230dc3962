"""Sugiyama's method by the library fast-sugiyama, for small graphs: fewer crossings. The library is optional. Pure."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Final

from drawing.layout.model import NARROW, PITCH, Edge, Point, Ranks

_INSTALLED: Final = find_spec("fast_sugiyama") is not None  # the extra "drawing"


def installed() -> bool:
    return _INSTALLED


def ranked(count: int, edges: Sequence[Edge]) -> Ranks:
    """`edges` must join all nodes and have no cycle."""
    from fast_sugiyama import from_edges

    found = from_edges(
        list(edges), minimum_length=1, vertex_spacing=PITCH, dummy_vertices=True, dummy_size=NARROW, check_layout=False
    )
    ((given, _, _, links),) = found
    positions = [(int(each), (point[0], point[1])) for each, point in given]
    first = max(y for _, (_, y) in positions)
    side = _side(positions, count)
    least = min(side * x for _, (x, _) in positions)
    return Ranks(
        {each: round((first - y) / PITCH) for each, (_, y) in positions},
        {each: side * x - least for each, (x, _) in positions},
        tuple(_chains([(int(source), int(target)) for source, target in links or ()], count)),
    )


def _side(positions: Sequence[tuple[int, Point]], real: int) -> int:
    """-1 if the mirror image has more steps in the order of the spec, else 1."""
    layers: dict[float, list[tuple[float, int]]] = {}
    for each, (x, y) in positions:
        if each < real:  # a box
            layers.setdefault(y, []).append((x, each))
    pairs = [pair for found in layers.values() for pair in pairwise(sorted(found))]
    return -1 if sum(1 if before[1] < after[1] else -1 for before, after in pairs) < 0 else 1


def _chains(links: Sequence[Edge], real: int) -> Iterator[tuple[int, ...]]:
    """Join the links of each bent arrow: from a box over bends to a box."""
    after = {source: target for source, target in links if source >= real}
    for source, target in links:
        if source < real:
            chain = [source, target]
            while chain[-1] >= real:
                chain.append(after[chain[-1]])
            yield tuple(chain)
