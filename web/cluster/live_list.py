"""The objects of one kind in one namespace that one user may see, kept up to date by one watch for all pages of that
user."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final

from shared.key import Key, key_of
from shared.kinds import Kind
from shared.kube.client.backoff import equal_jitter
from shared.kube.client.errors import ApiError, Forbidden, Gone, NotFound, Unauthorized
from shared.kube.client.reader import ApiReader
from web.cluster.topics import subject_of

LOG: Final = logging.getLogger(__name__)
BACKOFF_BASE: Final = 0.2
BACKOFF_CAP: Final = 5.0
_FINAL: Final = (Forbidden, Unauthorized, NotFound)
"""Errors that a retry does not solve: the next page asks again."""

Row = Callable[[Any], Any]
Tell = Callable[[str], None]


class LiveList:
    """`row`: what is kept of each object, with its `key`, or None to keep nothing: pages then read what they show from
    the API server. `lists`: how many lists are read at once, since the objects of a page take much memory.

    `tell` gets the subject of each change, '' for anything; `failed` whenever `fault` has changed. `fault`: why the
    watch does not work now, None while it does.
    """

    def __init__(
        self,
        api: ApiReader,
        kind: Kind,
        namespace: str,
        row: Row | None,
        *,
        lists: asyncio.Semaphore,
        tell: Tell,
        failed: Callable[[], None],
    ) -> None:
        self._api = api
        self._kind = kind
        self._namespace = namespace
        self._row = row
        self._lists = lists
        self._tell = tell
        self._failed = failed
        self._rows: dict[Key, Any] = {}
        self._version = ""
        self.fault: ApiError | None = None
        self.synced = asyncio.Event()

    @property
    def rows(self) -> list[Any]:
        return list(self._rows.values())

    async def run(self) -> None:
        """Runs until it is cancelled, or until an error that a retry does not solve."""
        failures = 0
        while True:
            begun = time.monotonic()
            try:
                if not self._version:
                    async with self._lists:
                        await self._list()
                self._is_well()
                await self._watch()
                failures = 0 if time.monotonic() - begun > BACKOFF_CAP else failures + 1
            except Gone:
                self._version = ""
                failures += 1
            except ApiError as error:
                self._is_ill(error)
                failures += 1
                if isinstance(error, _FINAL):
                    return
            except (KeyError, TypeError, ValueError):
                LOG.warning("a watch sent what cannot be read", extra={"resource": self._kind.resource})
                self._version = ""
                failures += 1
            if failures:
                await asyncio.sleep(equal_jitter(failures - 1, base=BACKOFF_BASE, cap=BACKOFF_CAP))

    async def ready(self, seconds: float) -> bool:
        """Whether the rows are complete, at the latest after so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.synced.wait(), seconds)
        return self.synced.is_set() and self.fault is None

    async def _list(self) -> None:
        found: dict[Key, Any] = {}
        pages = self._api.pages(self._kind, self._namespace, limit=500 if self._row else 1)
        async with aclosing(pages):
            async for page in pages:
                version = page.resource_version
                if self._row is None:
                    break
                for row in map(self._row, page.items):
                    found[row.key] = row
                await asyncio.sleep(0)
        self._rows, self._version = found, version
        self.synced.set()
        self._tell("")

    async def _watch(self) -> None:
        events = self._api.watch(self._kind, self._namespace, resource_version=self._version)
        async with aclosing(events):
            async for event in events:
                if event.type != "BOOKMARK":
                    self._keep(event.type, event.object)
                self._version = str(event.object["metadata"]["resourceVersion"])

    def _keep(self, change: str, body: Any) -> None:
        if self._row is not None:
            if change == "DELETED":
                self._rows.pop(key_of(body), None)
            else:
                row = self._row(body)
                self._rows[row.key] = row
        self._tell(subject_of(self._kind, body))

    def _is_well(self) -> None:
        if self.fault is not None:
            self.fault = None
            self._failed()

    def _is_ill(self, error: ApiError) -> None:
        self.fault = error
        self._failed()
