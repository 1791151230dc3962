"""A cache of results by text, bounded by the total length of the texts.

Users choose the texts, so the cache must not let them fill the memory of the process.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class CompiledCache(Generic[Made]):
    """Caches `make(text, *more)` up to `characters` of text and `entries` results; evicts the least recently used.

    functools.lru_cache counts entries only, and a few thousand results of long texts take gigabytes.
    """

    def __init__(self, make: Callable[..., Made], *, characters: int, entries: int) -> None:
        self._make = make
        self._characters = characters
        self._entries = entries
        self._held = 0
        self._made: OrderedDict[tuple[Hashable, ...], Made] = OrderedDict()

    def __call__(self, text: str, *more: Hashable) -> Made:
        key = (text, *more)
        try:
            found = self._made[key]
            self._made.move_to_end(key)
        except KeyError:
            found = self._make(text, *more)
            if key not in self._made and len(text) <= self._characters:
                self._keep(key, len(text), found)
        return found

    def _keep(self, key: tuple[Hashable, ...], length: int, made: Made) -> None:
        self._made[key] = made
        self._held += length
        while self._held > self._characters or len(self._made) > self._entries:
            (gone, *_), _ = self._made.popitem(last=False)
            self._held -= len(str(gone))

    def __len__(self) -> int:
        return len(self._made)
