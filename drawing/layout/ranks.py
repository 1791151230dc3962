"""Layer and place of every box of a picture. Parts that no arrow joins stand below each other. Pure."""

import math
from collections.abc import Sequence
from typing import Final

from drawing.layout import barycentre, sugiyama
from drawing.layout.model import HEIGHT, PITCH, Edge, Ranks

LARGE: Final = 500  # nodes and arrows; the library takes seconds for a few thousand
_WIDE: Final = 6  # steps without arrows that stand beside each other, at least


def ranked(count: int, edges: Sequence[Edge]) -> Ranks:
    """`edges` must have no cycle and no repetition. Steps without arrows come last, in a grid."""
    layers: dict[int, int] = {}
    across: dict[int, float] = {}
    chains: list[tuple[int, ...]] = []
    top, fresh = HEIGHT / 2, count
    parts = _parts(count, edges)
    for part, inner in (found for found in parts if found[1]):
        found = _part(len(part), inner)
        real = len(part)
        renamed = {each: part[each] if each < real else fresh + each - real for each in found.layers}
        fresh += len(renamed) - real
        for each, name in renamed.items():
            layers[name] = found.layers[each]
            across[name] = found.across[each] + top
        chains += (tuple(renamed[each] for each in chain) for chain in found.chains)
        top = max(across[name] for name in renamed.values()) + PITCH * 1.5
    _as_written(across, chains)
    alone = [part[0] for part, inner in parts if not inner]
    columns = max(math.isqrt(len(alone) // 2), _WIDE)
    for place, each in enumerate(alone):
        layers[each], across[each] = place % columns, top + place // columns * PITCH
    return Ranks(layers, across, tuple(chains))


def _part(count: int, edges: Sequence[Edge]) -> Ranks:
    small = count + len(edges) <= 2 * LARGE and count <= LARGE
    return sugiyama.ranked(count, edges) if small and sugiyama.installed() else barycentre.ranked(count, edges)


def _parts(count: int, edges: Sequence[Edge]) -> list[tuple[list[int], list[Edge]]]:
    """The nodes that arrows join, and these arrows with the nodes numbered anew; the largest parts first."""
    owner = list(range(count))

    def root(node: int) -> int:
        while owner[node] != node:
            owner[node] = owner[owner[node]]
            node = owner[node]
        return node

    for source, target in edges:
        first, second = sorted((root(source), root(target)))
        owner[second] = first
    members: dict[int, list[int]] = {}
    for node in range(count):
        members.setdefault(root(node), []).append(node)
    number = {node: place for part in members.values() for place, node in enumerate(part)}
    inner: dict[int, list[Edge]] = {part: [] for part in members}
    for source, target in edges:
        inner[root(source)].append((number[source], number[target]))
    return sorted(((part, inner[part[0]]) for part in members.values()), key=lambda found: -len(found[0]))


def _as_written(across: dict[int, float], chains: Sequence[Sequence[int]]) -> None:
    """Sort boxes that have the same neighbours in the order of the spec."""
    beside: dict[int, list[tuple[str, int]]] = {}
    for chain in chains:
        for each, side, other in ((chain[0], "after", chain[-1]), (chain[-1], "before", chain[0])):
            bent = len(chain) > 2  # such a box keeps its place, because its arrow bends
            beside.setdefault(each, []).append(("alone", each) if bent else (side, other))
    groups: dict[frozenset[tuple[str, int]], list[int]] = {}
    for each, others in beside.items():
        groups.setdefault(frozenset(others), []).append(each)
    for group in groups.values():
        places = sorted(across[each] for each in group)
        across.update(zip(sorted(group), places, strict=True))
