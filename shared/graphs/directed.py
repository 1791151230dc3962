"""Algorithms on directed graphs: order, cycles, depth and ancestors.

A graph maps each node to its targets, the nodes that it waits for. All functions are iterative and linear in the size of
the graph. A target that is not a node is ignored (except by `dangling`), so every function accepts any input.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]


def duplicates(names: Iterable[str]) -> tuple[str, ...]:
    """Names that occur more than once, in order of first occurrence."""
    return tuple(name for name, count in Counter(names).items() if count > 1)


def dangling(edges: Edges) -> Iterator[tuple[str, int, str]]:
    """(node, position among its targets, target) for every target that is not a node."""
    for node, targets in edges.items():
        for position, target in enumerate(targets):
            if target not in edges:
                yield node, position, target


def order(edges: Edges) -> tuple[str, ...]:
    """Topological order: each node after its targets, otherwise as given. Nodes on or behind a cycle are left out."""
    waiting = {node: len({target for target in targets if target in edges}) for node, targets in edges.items()}
    followers = dependents(edges)
    ready = deque(node for node, count in waiting.items() if not count)
    done: list[str] = []
    while ready:
        node = ready.popleft()
        done.append(node)
        for follower in followers[node]:
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    return tuple(done)


def dependents(edges: Edges) -> dict[str, tuple[str, ...]]:
    """For each node the nodes that wait for it, each once, in the given order."""
    found: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in dict.fromkeys(targets):
            if target in found:
                found[target].append(node)
    return {node: tuple(nodes) for node, nodes in found.items()}


def cycle(edges: Edges) -> tuple[str, ...] | None:
    """One cycle in the order in which its nodes would run, as ("a", "b", "c", "a"): b waits for a, c for b, a for c.

    None if the graph has no cycle.
    """
    stuck = set() if is_ordered(edges) else set(edges).difference(order(edges))
    if not stuck:
        return None
    # Every node that was not ordered has a target that was not ordered, so following these must reach a node again.
    node = next(name for name in edges if name in stuck)
    position: dict[str, int] = {}
    while node not in position:
        position[node] = len(position)
        node = next(target for target in edges[node] if target in stuck)
    path = list(position)[position[node] :][::-1]
    rank = {name: place for place, name in enumerate(edges)}
    first = path.index(min(path, key=rank.__getitem__))
    return (*path[first:], *path[: first + 1])


def cycles(edges: Edges) -> Iterator[tuple[str, ...]]:
    """Cycles without a common node, so that each names a fault of its own. Takes linear time for each."""
    left = edges
    while path := cycle(left):
        yield path
        gone = set(path)
        left = {node: targets for node, targets in left.items() if node not in gone}


def is_ordered(edges: Edges) -> bool:
    """Whether every node already comes after its targets, as is usual: then all targets are nodes, and there is no cycle.
    Checking takes a tenth of the time of ordering.
    """
    if not any(edges.values()):
        return True
    done: set[str] = set()
    for node, targets in edges.items():
        if targets and not done.issuperset(targets):
            return False
        done.add(node)
    return True


def depth(edges: Edges) -> int:
    """The number of nodes on the longest path, not counting nodes on or behind a cycle."""
    levels: dict[str, int] = {}
    for node in order(edges):
        levels[node] = 1 + max((levels.get(target, 0) for target in edges[node]), default=0)
    return max(levels.values(), default=0)


class Ancestors:
    """Transitive ancestors: `Ancestors(edges).before("d", "a")`. Keeps one bit set for each node."""

    def __init__(self, edges: Edges) -> None:
        self._bit = {node: 1 << position for position, node in enumerate(edges)}
        self._before: dict[str, int] = {}
        for node in order(edges):
            mask = 0
            for target in edges[node]:
                mask |= self._bit.get(target, 0) | self._before.get(target, 0)
            self._before[node] = mask

    def before(self, node: str, other: str) -> bool:
        """Whether `other` is upstream of `node`. False for unknown names and for nodes on or behind a cycle."""
        return bool(self._before.get(node, 0) & self._bit.get(other, 0))

    def of(self, node: str) -> tuple[str, ...]:
        """All nodes upstream of `node`, in the given order."""
        mask = self._before.get(node, 0)
        return tuple(name for name, bit in self._bit.items() if mask & bit)
