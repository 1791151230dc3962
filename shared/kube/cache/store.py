"""Stores the objects of one kind by key, with indexes. In memory, without I/O or time."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from shared.key import Key, key_of
from shared.kube.cache.packed import Entry, Hot, Packer
from shared.model.types import Body

Indexer = Callable[[Body], Iterable[str]]


class Store:
    """Returned bodies are shared: never change them."""

    def __init__(self, indexers: Mapping[str, Indexer] | None = None, hot: Hot | None = None) -> None:
        self._entries: dict[Key, Entry] = {}
        self._namespaces: dict[str, dict[Key, None]] = {}
        self._indexers: dict[str, Indexer] = {}
        self._indexes: dict[str, dict[str, dict[Key, None]]] = {}
        self._hot = hot if hot is not None else Hot()
        self._packer = Packer()
        for name, indexer in (indexers or {}).items():
            self.add_indexer(name, indexer)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys())

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def add_indexer(self, name: str, indexer: Indexer) -> None:
        """Adds an index over all stored and future objects. Adding the same function again has no effect."""
        known = self._indexers.setdefault(name, indexer)
        if known is not indexer:
            raise ValueError(f"an indexer {name!r} already exists and is another function")
        if name not in self._indexes:
            self._indexes[name] = {}
            for key in self._entries:
                self._link(name, key, self._entries[key].peek())

    def entry(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def get(self, key: Key) -> Body | None:
        entry = self._entries.get(key)
        return None if entry is None else self._read(entry)

    def get_body(self, key: Key) -> Body:
        return self._read(self._entries[key])

    def keys(self, namespace: str | None = None) -> list[Key]:
        return list(self._entries if namespace is None else self._namespaces.get(namespace, ()))

    def bodies(self, namespace: str | None = None) -> Iterator[Body]:
        """All bodies, or those of one namespace. Packed bodies stay packed."""
        for key in self.keys(namespace):
            entry = self._entries.get(key)
            if entry is not None:
                yield entry.peek()

    def index_keys(self, index: str, value: str) -> list[Key]:
        return list(self._indexes[index].get(value, ()))

    def index_values(self, index: str) -> list[str]:
        return list(self._indexes[index])

    def by_index(self, index: str, value: str) -> list[Body]:
        return [self.get_body(key) for key in self.index_keys(index, value)]

    def put(self, body: Body) -> Body | None:
        """Stores `body` and returns the body that it replaces, if any."""
        key = key_of(body)
        replaced = self._entries.get(key)
        keep = self._hot.touch if replaced is not None and self._hot.is_read(replaced) else self._hot.add
        old = self.remove(key)
        entry = self._entries[key] = Entry(body, self._packer)
        self._namespaces.setdefault(key.namespace, {})[key] = None
        keep(entry)
        for name in self._indexers:
            self._link(name, key, body)
        return old

    def remove(self, key: Key) -> Body | None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        old = entry.peek()
        self._hot.drop(entry)
        _discard(self._namespaces, key.namespace, key)
        for name, indexer in self._indexers.items():
            for value in indexer(old):
                _discard(self._indexes[name], value, key)
        return old

    def _read(self, entry: Entry) -> Body:
        self._hot.touch(entry)
        return entry.body()

    def _link(self, name: str, key: Key, body: Body) -> None:
        index = self._indexes[name]
        for value in self._indexers[name](body):
            index.setdefault(value, {})[key] = None


def _discard(groups: dict[str, dict[Key, None]], value: str, key: Key) -> None:
    group = groups.get(value)
    if group is not None:
        group.pop(key, None)
        if not group:
            del groups[value]
