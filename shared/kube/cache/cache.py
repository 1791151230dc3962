"""Objects of a kind, kept up to date by list and watch, with own writes visible at once."""

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
    """Drop what no reader needs: managedFields are a fifth of a cache."""
    body["metadata"].pop("managedFields", None)
    return body


class Cache:
    """One kind. Bodies handed out are shared: never change them.

    `namespaces`: those watched, all when empty; `transform`: what is kept of a body as it arrives (it may change it);
    `accepts`: whether an own write belongs here, for caches with selectors; `optional`: the CRD may be missing.
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
        hot: Hot | None = None,
    ) -> None:
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

    def list(self, namespace: str | None = None) -> Iterator[Body]:
        """Every object, or those of one namespace."""
        return self._store.bodies(namespace)

    def keys(self, namespace: str | None = None) -> Sequence[Key]:
        return self._store.keys(namespace)

    def by(self, index: str, value: str) -> Sequence[Body]:
        """The objects for which the indexer `index` gives `value`."""
        return self._store.by_index(index, value)

    def keys_by(self, index: str, value: str) -> Sequence[Key]:
        """As `by`, without unpacking any body."""
        return self._store.index_keys(index, value)

    def values(self, index: str) -> Sequence[str]:
        """Every value that some object has in `index`."""
        return self._store.index_values(index)

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._store)

    def add_indexer(self, name: str, indexer: Indexer) -> None:
        self._store.add_indexer(name, indexer)

    def on_change(self, handler: Handler) -> None:
        """Call `handler(old, new)` on every change from now on, own writes included, and for what is stored already.

        None as old: added; None as new: deleted. An object replaced under its name is deleted, then added. Each version
        is told once: by `assume` or by the watch, whichever is first. Handlers must not block and must not raise.
        """
        self._handlers.append(handler)
        for body in self._store.bodies():
            handler(None, body)

    def assume(self, body: Body) -> None:
        """Show the API server's answer to an own write from now on. Takes `body` over: do not change it afterwards."""
        if self._accepts is None or self._accepts(body):
            self._deliver(self._overlay.assume(self._transform(body)))

    def assume_deleted(self, namespace: str, name: str, uid: str) -> None:
        """An own delete removed the object at once."""
        self._deliver(self._overlay.assume_deleted(Key(namespace, name), uid))

    @property
    def has_synced(self) -> bool:
        return all(reflector.synced.is_set() for reflector in self._reflectors)

    async def synced(self) -> None:
        for reflector in self._reflectors:
            await reflector.synced.wait()

    async def run(self) -> None:
        """Keep up to date until cancelled."""
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
    """The caches of a process: declared first, started together, one per kind."""

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
    ) -> Cache:
        """The cache of `kind`, made on first use; later uses only add indexers.

        Raises ValueError when a later use wants other contents (selectors, transform) than the first: one of the two
        would silently miss something.
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
            hot=self._hot,
        )
        return cache

    def of(self, kind: Kind) -> Cache | None:
        return self._caches.get((kind.api_version, kind.kind))

    def remember(self, kind: Kind) -> SingleReads:
        """For a kind that has no cache: what is read one by one, with own writes visible at once."""
        return self._remembered.setdefault(kind, SingleReads(self._api, kind))

    def _keeper(self, kind: Kind) -> Cache | SingleReads | None:
        cache = self.of(kind)
        return self._remembered.get(kind) if cache is None else cache

    def assume(self, kind: Kind, body: Body) -> None:
        """Show an own write in the cache of its kind, if there is one."""
        cache = self._keeper(kind)
        if cache is not None:
            cache.assume(body)

    def assume_deleted(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        cache = self._keeper(kind)
        if cache is not None:
            cache.assume_deleted(namespace, name, uid)

    def unsynced(self) -> Sequence[str]:
        """The resources whose first list has not come yet; empty when ready."""
        return [cache.kind.resource for cache in self._caches.values() if not cache.has_synced]

    async def synced(self) -> None:
        for cache in list(self._caches.values()):
            await cache.synced()

    async def run(self) -> None:
        """Run every cache wanted so far until cancelled."""
        async with asyncio.TaskGroup() as group:
            for cache in self._caches.values():
                group.create_task(cache.run())


async def stopped(task: asyncio.Task[None]) -> None:
    """Cancel a running `Caches.run()` task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
