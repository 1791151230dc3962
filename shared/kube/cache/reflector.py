"""Keeps one overlay equal to the API server: lists, then watches from the list's version, and repeats when the watch fails.

It corresponds to client-go's Reflector.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from functools import lru_cache
from typing import Final

from shared.key import Key
from shared.kinds import Kind
from shared.kube import metrics
from shared.kube.cache.overlay import Change, Overlay
from shared.kube.client.backoff import equal_jitter
from shared.kube.client.errors import ApiError, Gone, NotFound, Timeout, TooManyRequests
from shared.kube.client.reader import PAGE, ApiReader, WatchEvent
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
BACKOFF_BASE: Final = 0.2
BACKOFF_CAP: Final = 10.0
HEALTHY_SECONDS: Final = 5.0  # a watch that lasted this long resets the back-off
UNSERVED_SECONDS: Final = 15.0  # interval of retries for a kind whose CRD is not installed

_counted = lru_cache(maxsize=256)(metrics.EVENTS.labels)


class Reflector:
    """One kind in one namespace ('' for all). `deliver` gets all changes in order; `synced` is set after the first list;
    `served`: False once the API server does not know the kind.

    `optional`: a kind that the API server does not serve counts as empty.
    """

    def __init__(
        self,
        api: ApiReader,
        kind: Kind,
        namespace: str,
        overlay: Overlay,
        deliver: Callable[[list[Change]], None],
        *,
        label_selector: str = "",
        field_selector: str = "",
        transform: Callable[[Body], Body],
        optional: bool = False,
    ) -> None:
        self._api = api
        self._kind = kind
        self._namespace = namespace
        self._overlay = overlay
        self._deliver = deliver
        self._labels = label_selector
        self._fields = field_selector
        self._transform = transform
        self._optional = optional
        self._version = ""
        self._limit = PAGE
        self._failures = 0
        self.served = True
        self.synced = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                self._failures = 0
            except Gone:
                await self._expired()
            except NotFound as error:
                await self._unserved(error)
            except ApiError as error:
                await self._pause(error)
            except (KeyError, TypeError, ValueError) as error:
                # An answer that cannot be decoded, for example from a broken proxy: start again instead of ending the watch.
                self._version = ""
                await self._pause(error)

    async def _list(self) -> None:
        metrics.LISTS.labels(self._kind.resource).inc()
        seen: set[str] = set()
        version = ""
        pages = self._api.pages(
            self._kind,
            self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
            limit=self._limit,
        )
        async with aclosing(pages):
            async for page in pages:
                version = page.resource_version
                for item in page.items:
                    seen.add(item["metadata"].get("uid", ""))
                    self._deliver(self._overlay.listed(self._transform(item)))
                await asyncio.sleep(0)
        self._deliver(self._overlay.list_ended(seen, self._namespace, version))
        self._version, self._limit = version, PAGE
        self.served = True
        self.synced.set()

    async def _watch(self) -> None:
        metrics.WATCHES.labels(self._kind.resource).inc()
        opened = time.monotonic()
        events = self._api.watch(
            self._kind,
            self._namespace,
            resource_version=self._version,
            label_selector=self._labels,
            field_selector=self._fields,
        )
        async with aclosing(events):
            async for event in events:
                self._handle(event)
                if time.monotonic() - opened > HEALTHY_SECONDS:
                    self._failures = 0
        if time.monotonic() - opened < 1.0:
            # A watch that always ends at once must not become a busy loop.
            await self._sleep()

    def _handle(self, event: WatchEvent) -> None:
        if not event.metadata.resource_version:
            raise ValueError("a watch event without resourceVersion")
        _counted(self._kind.resource, event.type).inc()
        if event.type != "BOOKMARK" and not self._is_known(event):
            self._deliver(self._overlay.event(event.type, self._transform(event.object)))
        self._version = event.metadata.resource_version

    def _is_known(self, event: WatchEvent) -> bool:
        """Whether the event brings nothing new, as after an own write. It is then dropped without being decoded."""
        metadata, key = event.metadata, Key(event.metadata.namespace, event.metadata.name)
        return event.type != "DELETED" and self._overlay.knows(key, metadata.uid, metadata.resource_version)

    async def _expired(self) -> None:
        if not self._version:
            self._limit = 0  # the snapshot of the paged list expired: list without pages
        self._version = ""
        await self._sleep()

    async def _unserved(self, error: ApiError) -> None:
        self._version = ""
        if self._optional:
            self.served = False
            self._deliver(self._overlay.list_ended(set(), self._namespace, "0"))
            self.synced.set()
            await asyncio.sleep(UNSERVED_SECONDS)
        else:
            await self._pause(error)

    async def _pause(self, error: Exception) -> None:
        level = logging.DEBUG if isinstance(error, Timeout) and self._version else logging.WARNING
        LOG.log(level, "list or watch failed", extra={"resource": self._kind.resource, "error": str(error)})
        if isinstance(error, TooManyRequests):
            await asyncio.sleep(error.retry_after)
        await self._sleep()

    async def _sleep(self) -> None:
        await asyncio.sleep(equal_jitter(self._failures, base=BACKOFF_BASE, cap=BACKOFF_CAP))
        self._failures += 1
