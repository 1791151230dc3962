"""The layer of each node of a graph: one more than the highest layer of those that it comes after. Pure."""

from collections import deque
from collections.abc import Sequence

from drawing.layout.model import Edge


def neighbours(count: int, edges: Sequence[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    """For each node those before it and those after it, in the order of the edges."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    return before, after


def longest_paths(count: int, edges: Sequence[Edge]) -> list[int]:
    """The length of the longest path to each node. Nodes on or behind a cycle stay at 0."""
    before, after = neighbours(count, edges)
    waiting = [len(sources) for sources in before]
    ready = deque(node for node in range(count) if not waiting[node])
    layers = [0] * count
    while ready:
        node = ready.popleft()
        for target in after[node]:
            layers[target] = max(layers[target], layers[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return layers


def short_layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """As `longest_paths`, but a node that comes after none stands just before the first that follows it, which makes
    its arrows shorter."""
    before, after = neighbours(count, edges)
    layers = longest_paths(count, edges)
    return [
        min(layers[target] for target in after[node]) - 1 if after[node] and not before[node] else layers[node]
        for node in range(count)
    ]
