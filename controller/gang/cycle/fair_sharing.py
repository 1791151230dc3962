"""Who is next: queues by priority, then by how little of their share they use; in a queue by priority class, then age."""

from collections.abc import Iterable, Iterator

from controller.gang.cache.pending_group import Candidate
from controller.gang.cache.queue_tree import Shares
from shared.key import Key

Rank = tuple[bool, int, float, tuple[str, str]]


class Line:
    """Hands out candidates, the next one always by what queues use at that moment.

    `first`: one that others were evicted for.
    """

    def __init__(self, candidates: Iterable[Candidate], shares: Shares, first: Key | None = None) -> None:
        self._shares = shares
        self._first = first
        self._queues: dict[str, list[Candidate]] = {}
        for each in candidates:
            self._queues.setdefault(each.queue, []).append(each)
        for waiting in self._queues.values():
            waiting.sort(key=self._rank, reverse=True)  # the next one stands last
        self._standing: dict[str, tuple[float, ...]] = {}

    def __iter__(self) -> Iterator[Candidate]:
        while self._queues:
            name = min(self._queues, key=self._key)
            yield self._queues[name].pop()
            if not self._queues.get(name):
                self._queues.pop(name, None)

    def admitted(self) -> None:
        """What queues use has changed."""
        self._standing.clear()

    def _key(self, name: str) -> tuple[bool, bool, tuple[float, ...], Rank]:
        standing = self._standing.get(name)
        if standing is None:
            standing = self._standing[name] = self._shares.standing(name)
        head = self._queues[name][-1]
        return not head.begun, head.ref != self._first, standing, rank(head)

    def _rank(self, candidate: Candidate) -> tuple[bool, bool, Rank]:
        return not candidate.begun, candidate.ref != self._first, rank(candidate)


def rank(candidate: Candidate) -> Rank:
    """Sorts within a queue. What was begun is finished first, or it would run half."""
    return not candidate.begun, -candidate.priority, candidate.created, candidate.ref
