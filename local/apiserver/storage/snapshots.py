"""Snapshots that the pages of a list share, for as long as etcd would keep the revision."""

import time
from collections import OrderedDict

from local.apiserver.storage.store import StoredObject

KEPT = 200  # concurrent lists


class PageSnapshots:
    """Lists by number, each kept until `lifetime` seconds after its last use."""

    def __init__(self, lifetime: float) -> None:
        self.lifetime = lifetime
        self._kept: OrderedDict[int, tuple[float, list[StoredObject], int]] = OrderedDict()
        self._by_list: dict[int, int] = {}
        self._next = 0

    def keep(self, entries: list[StoredObject], rv: int) -> int:
        """The number of the stored list; an equal list keeps its number."""
        number = self._by_list.get(id(entries))
        if number is None or number not in self._kept:
            self._next += 1
            number = self._next
            self._by_list[id(entries)] = number
        self._kept[number] = (time.monotonic() + self.lifetime, entries, rv)
        while len(self._kept) > KEPT:
            self._drop(next(iter(self._kept)))
        return number

    def find(self, number: int) -> list[StoredObject] | None:
        found = self._kept.get(number)
        if found is None:
            return None
        if found[0] < time.monotonic():
            self._drop(number)
            return None
        return found[1]

    def clear(self) -> None:
        self._kept.clear()
        self._by_list.clear()

    def _drop(self, number: int) -> None:
        _, entries, _ = self._kept.pop(number)
        self._by_list.pop(id(entries), None)
