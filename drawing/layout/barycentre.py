"""Sugiyama's method by barycentres, for large graphs: 5000 nodes take less than a second. Pure.

Each layer is sorted by the mean position of the neighbours in the layers before it, then of those after it, in four
sweeps. Then each node moves as near to the mean of its neighbours as the nodes beside it allow.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from drawing.layout.layering import neighbours, short_layers
from drawing.layout.model import NARROW, PITCH, Edge, Ranks

SWEEPS: Final = 4
_BENDS: Final = 3  # at most so many bends of long arrows for each node; beyond that long arrows run behind the boxes


class _Graph(msgspec.Struct, frozen=True):
    """`rows`: the nodes of each layer in order; nodes from `real` on are bends."""

    rows: list[list[int]]
    before: list[list[int]]
    after: list[list[int]]
    real: int

    def room(self, left: int, right: int) -> float:
        """From the middle of a node to the middle of the next one in its layer."""
        return sum(PITCH / 2 if node < self.real else PITCH * NARROW / 2 for node in (left, right))


def ranked(count: int, edges: Sequence[Edge]) -> Ranks:
    """`edges` must have no cycle."""
    layers = short_layers(count, edges)
    chains = list(_bent(count, edges, layers))
    layers += [0] * (max((max(chain) for chain in chains), default=-1) + 1 - count)
    for chain in chains:
        for place, node in enumerate(chain[1:-1], 1):
            layers[node] = layers[chain[0]] + place
    links = [link for chain in chains for link in pairwise(chain)]
    rows: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for node, layer in enumerate(layers):
        rows[layer].append(node)
    graph = _Graph(rows, *neighbours(len(layers), links), count)
    _sort(graph)
    return Ranks(dict(enumerate(layers)), dict(enumerate(_settle(graph))), tuple(chains))


def _bent(count: int, edges: Sequence[Edge], layers: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Each edge with a bend in every layer that it passes, unless there would be too many of them."""
    spans = [layers[target] - layers[source] - 1 for source, target in edges]
    if sum(spans) > _BENDS * count:
        yield from edges
        return
    fresh = count
    for (source, target), span in zip(edges, spans, strict=True):
        yield (source, *range(fresh, fresh + span), target)
        fresh += span


def _sweeps(graph: _Graph) -> Iterator[tuple[list[int], list[list[int]]]]:
    """The layers from the first to the last with what is before each node, then backwards with what is after it."""
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for row in graph.rows if forward else reversed(graph.rows):
            yield row, graph.before if forward else graph.after


def _sort(graph: _Graph) -> None:
    """Orders each layer, in place."""
    position = [0.0] * len(graph.before)
    for row in graph.rows:
        _number(row, position)
    for row, beside in _sweeps(graph):
        row.sort(key=_mean(position, beside))
        _number(row, position)


def _number(row: Sequence[int], position: list[float]) -> None:
    """Positions from 0 to 1, so that layers of different sizes can be compared."""
    for place, node in enumerate(row):
        position[node] = (place + 0.5) / len(row)


def _mean(position: Sequence[float], beside: Sequence[Sequence[int]]) -> Callable[[int], float]:
    """The mean position of the neighbours of a node; its own position if it has none."""

    def mean(node: int) -> float:
        others = beside[node]
        return sum(position[other] for other in others) / len(others) if others else position[node]

    return mean


def _settle(graph: _Graph) -> list[float]:
    """The distance of each node from the top of the picture, at least 0."""
    across = [0.0] * len(graph.before)
    for row in graph.rows:
        offsets = _offsets(graph, row)
        for node, offset in zip(row, offsets, strict=True):
            across[node] = offset - offsets[-1] / 2
    for row, beside in _sweeps(graph):
        mean = _mean(across, beside)
        offsets = _offsets(graph, row)
        rising = _rising([mean(node) - offset for node, offset in zip(row, offsets, strict=True)])
        for node, offset, free in zip(row, offsets, rising, strict=True):
            across[node] = free + offset
    least = min(across, default=0.0)
    return [each - least for each in across]


def _offsets(graph: _Graph, row: Sequence[int]) -> list[float]:
    """The distance of each node of a layer from its first one, where all stand as close as they may."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + graph.room(left, right))
    return offsets


def _rising(wanted: Sequence[float]) -> list[float]:
    """The nearest values that never fall (least squares, by pooling neighbours that do)."""
    pools: list[tuple[float, int]] = []  # (sum, count)
    for value in wanted:
        total, count = value, 1
        while pools and pools[-1][0] * count > total * pools[-1][1]:
            before, more = pools.pop()
            total, count = total + before, count + more
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]
