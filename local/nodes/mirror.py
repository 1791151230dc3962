"""A cache of one collection by list and watch, which reconnects after lost connections and expired versions."""

import asyncio
import logging
from collections.abc import Callable

import aiohttp

from local.client.rest import RestClient, RestError
from shared.model.types import Body

Key = tuple[str, str]
Changed = Callable[[str, Body], None]
_LOG = logging.getLogger("nodes")
_PAGE = "500"


class Mirror:
    """`items`: by (namespace, name); `changed(type, object)` is called for every change; `type` as in a watch event."""

    def __init__(self, client: RestClient, path: str, changed: Changed) -> None:
        self.items: dict[Key, Body] = {}
        self.synced = asyncio.Event()
        self._client = client
        self._path = path
        self._changed = changed
        self._version = ""

    async def run(self) -> None:
        """Never returns; cancel it."""
        pause = 0.05
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                pause = 0.05
            except RestError as error:
                _LOG.warning("watch %s: %s", self._path, error)
                self._version = ""
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                _LOG.warning("watch %s: %r", self._path, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _list(self) -> None:
        found: dict[Key, Body] = {}
        more = ""
        while True:
            params = {"limit": _PAGE, "continue": more} if more else {"limit": _PAGE}
            page = await self._client.get(self._path, **params)
            found |= {key_of(item): item for item in page.get("items") or []}
            more = page["metadata"].get("continue", "")
            if not more:
                break
        for key in self.items.keys() - found.keys():
            self._apply("DELETED", self.items[key])
        for item in found.values():
            self._apply("MODIFIED" if key_of(item) in self.items else "ADDED", item)
        self._version = page["metadata"]["resourceVersion"]
        self.synced.set()

    async def _watch(self) -> None:
        async for event in self._client.watch(self._path, self._version):
            body = event["object"]
            if event["type"] == "ERROR":
                self._version = ""
                return
            self._version = body["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._apply(event["type"], body)

    def _apply(self, kind: str, body: Body) -> None:
        if kind == "DELETED":
            self.items.pop(key_of(body), None)
        else:
            self.items[key_of(body)] = body
        self._changed(kind, body)


def key_of(body: Body) -> Key:
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]
