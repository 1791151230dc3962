"""Caches of API objects, kept up to date by list and watch. Own writes are visible in them at once.

They correspond to client-go's informers. Reconcilers read from caches only, so a reconcile round costs the API server
nothing, and because own writes are visible, it never repeats a write that the watch has not delivered yet.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from shared.key import Key
from shared.kinds import Kind
from shared.kube import metrics
from shared.kube.cache.overlay import Change, Overlay
from shared.kube.cache.packed import Hot
from shared.kube.cache.reflector import Reflector
from shared.kube.cache.single_reads import SingleReads
from shared.kube.cache.store import Indexer, Store
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
Handler = Callable[[Body | None, Body | None], None]


def strip(body: Body) -> Body:
    """Removes managedFields, which no reader needs and which are a fifth of a cache."""
    body["metadata"].pop("managedFields", None)
    return body


class Cache:
    """The cache of one kind. Returned bodies are shared: never change them.

    `namespaces`: the watched ones, empty for all; `transform`: returns the part of an arriving body that is kept (it may
    change the body); `accepts`: whether an own write belongs to a cache with selectors; `optional`: the CRD may be
    missing; `needed`: nothing is read until it is set, and until then the cache counts as synced.
    """

    def __init__(
        self,
        api: ApiReader,
        kind: Kind,
        *,
        namespaces: Sequence[str] = (),
        label_selector: str = "",
        field_selector: str = "",
        indexers: Mapping[str, Indexer] | None = None,
        transform: Callable[[Body], Body] = strip,
        accepts: Callable[[Body], bool] | None = None,
        optional: bool = False,
        needed: asyncio.Event | None = None,
        hot: Hot | None = None,
    ) -> None:
        self._needed = needed
        self.kind = kind
        self._store = Store(indexers, hot)
        self._overlay = Overlay(self._store)
        self._transform = transform
        self._accepts = accepts
        self._handlers: list[Handler] = []
        self._size = metrics.OBJECTS.labels(kind.resource)
        self._reflectors = [
            Reflector(
                api,
                kind,
                namespace,
                self._overlay,
                self._deliver,
                label_selector=label_selector,
                field_selector=field_selector,
                transform=transform,
                optional=optional,
            )
            for namespace in (tuple(namespaces) if kind.namespaced and namespaces else ("",))
        ]

    def get(self, namespace: str, name: str) -> Body | None:
        return self._store.get(Key(namespace, name))

    def has(self, namespace: str, name: str) -> bool:
        """Whether the object exists, without unpacking its body."""
        return Key(namespace, name) in self._store

    def list(self, namespace: str | None = None) -> Iterator[Body]:
        """All objects, or those of one namespace."""
        return self._store.bodies(namespace)

    def keys(self, namespace: str | None = None) -> Sequence[Key]:
        return self._store.keys(namespace)

    def by(self, index: str, value: str) -> Sequence[Body]:
        """The objects for which the indexer `index` gives `value`."""
        return self._store.by_index(index, value)

    def keys_by(self, index: str, value: str) -> Sequence[Key]:
        """The keys of `by`, without unpacking bodies."""
        return self._store.index_keys(index, value)

    def values(self, index: str) -> Sequence[str]:
        """Every value in `index`."""
        return self._store.index_values(index)

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._store)

    def add_indexer(self, name: str, indexer: Indexer) -> None:
        self._store.add_indexer(name, indexer)

    def on_change(self, handler: Handler) -> None:
        """Calls `handler(old, new)` for every stored object now and for every later change, including own writes.

        `old` None: added; `new` None: deleted. An object that was replaced under the same name is deleted, then added.
        Each version is reported once, by `assume` or by the watch. Handlers must not block and must not raise.
        """
        self._handlers.append(handler)
        for body in self._store.bodies():
            handler(None, body)

    def assume(self, body: Body) -> None:
        """Stores the API server's answer to an own write. Takes ownership of `body`."""
        if self._accepts is None or self._accepts(body):
            self._deliver(self._overlay.assume(self._transform(body)))

    def assume_deleted(self, namespace: str, name: str, uid: str) -> None:
        """Removes an object that an own delete removed at once."""
        self._deliver(self._overlay.assume_deleted(Key(namespace, name), uid))

    @property
    def has_synced(self) -> bool:
        if self._needed is not None and not self._needed.is_set():
            return True
        return all(reflector.synced.is_set() for reflector in self._reflectors)

    @property
    def served(self) -> bool:
        """False if the API server answered that it does not serve the kind. For optional caches."""
        return all(reflector.served for reflector in self._reflectors)

    async def synced(self) -> None:
        for reflector in () if self.has_synced else self._reflectors:
            await reflector.synced.wait()

    async def run(self) -> None:
        """Keeps the cache up to date until cancelled."""
        if self._needed is not None:
            await self._needed.wait()
        async with asyncio.TaskGroup() as group:
            for reflector in self._reflectors:
                group.create_task(reflector.run())

    def _deliver(self, changes: Iterable[Change]) -> None:
        for old, new in changes:
            for handler in self._handlers:
                try:
                    handler(old, new)
                except Exception:
                    LOG.exception("a change handler failed", extra={"resource": self.kind.resource})
        self._size.set(len(self._store))


class Caches:
    """The caches of a process, one per kind. They are declared first and then started together."""

    def __init__(self, api: ApiReader, *, namespaces: Sequence[str] = (), hot: Hot | None = None) -> None:
        self._api = api
        self._namespaces = tuple(namespaces)
        self._hot = hot if hot is not None else Hot()
        self._caches: dict[tuple[str, str], Cache] = {}
        self._contents: dict[tuple[str, str], tuple[object, ...]] = {}
        self._remembered: dict[Kind, SingleReads] = {}

    def want(
        self,
        kind: Kind,
        *,
        label_selector: str = "",
        field_selector: str = "",
        indexers: Mapping[str, Indexer] | None = None,
        transform: Callable[[Body], Body] = strip,
        accepts: Callable[[Body], bool] | None = None,
        optional: bool = False,
        needed: asyncio.Event | None = None,
    ) -> Cache:
        """The cache of `kind`, created on first use. Later uses only add indexers.

        Raises ValueError if a later use wants other contents (selectors, transform) than the first, since one of the two
        would silently miss objects.
        """
        contents = (label_selector, field_selector, transform)
        known = self._caches.get((kind.api_version, kind.kind))
        if self._contents.setdefault((kind.api_version, kind.kind), contents) != contents:
            raise ValueError(f"{kind.resource}: two parts of the process want different contents of its cache")
        if known is not None:
            for name, indexer in (indexers or {}).items():
                known.add_indexer(name, indexer)
            return known
        cache = self._caches[kind.api_version, kind.kind] = Cache(
            self._api,
            kind,
            namespaces=self._namespaces,
            label_selector=label_selector,
            field_selector=field_selector,
            indexers=indexers,
            transform=transform,
            accepts=accepts,
            optional=optional,
            needed=needed,
            hot=self._hot,
        )
        return cache

    def of(self, kind: Kind) -> Cache | None:
        return self._caches.get((kind.api_version, kind.kind))

    def remember(self, kind: Kind) -> SingleReads:
        """For a kind without a cache: objects that are read singly, with own writes visible at once."""
        return self._remembered.setdefault(kind, SingleReads(self._api, kind))

    def _keeper(self, kind: Kind) -> Cache | SingleReads | None:
        cache = self.of(kind)
        return self._remembered.get(kind) if cache is None else cache

    def assume(self, kind: Kind, body: Body) -> None:
        """Stores an own write in the cache of its kind, if there is one."""
        cache = self._keeper(kind)
        if cache is not None:
            cache.assume(body)

    def assume_deleted(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        cache = self._keeper(kind)
        if cache is not None:
            cache.assume_deleted(namespace, name, uid)

    def unsynced(self) -> Sequence[str]:
        """The resources whose first list has not arrived yet; empty when all caches are ready."""
        return [cache.kind.resource for cache in self._caches.values() if not cache.has_synced]

    async def synced(self) -> None:
        for cache in list(self._caches.values()):
            await cache.synced()

    async def run(self) -> None:
        """Runs all declared caches until cancelled."""
        async with asyncio.TaskGroup() as group:
            for cache in self._caches.values():
                group.create_task(cache.run())


async def stopped(task: asyncio.Task[None]) -> None:
    """Cancels a running `Caches.run()` task and waits for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
