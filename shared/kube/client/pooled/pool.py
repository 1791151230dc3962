"""Keep-alive connections to one address."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Final
from urllib.parse import urlsplit

from shared.kube.client.access import Access
from shared.kube.client.errors import Unreachable
from shared.kube.client.pooled.connection import HttpConnection, connect
from shared.kube.client.requests import CONNECT_SECONDS

KEEP_ALIVE_SECONDS: Final = 60.0  # kube-apiserver closes idle connections after 90


class ConnectionPool:
    """`limit`: connections in use at once, 0 for no limit. Of the idle ones the last used is taken, so that few stay open."""

    def __init__(self, access: Access, limit: int = 0) -> None:
        where = urlsplit(access.host)
        self._access = access
        self._host = where.hostname or ""
        self._port = where.port or (443 if access.tls else 80)
        self._turn = asyncio.Semaphore(limit) if limit else None
        self._idle: list[HttpConnection] = []
        self._used: set[HttpConnection] = set()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[HttpConnection]:
        """One that nobody else uses until the block ends. It is kept if its answer was read to the end. Raises Unreachable."""
        async with self._turn or nullcontext():
            connection = self._kept() or await self._opened()
            self._used.add(connection)
            try:
                yield connection
            finally:
                self._used.discard(connection)
                if connection.is_free:
                    connection.idle_since = time.monotonic()
                    self._idle.append(connection)
                else:
                    connection.abort()

    async def close(self) -> None:
        for connection in (*self._idle, *self._used):
            connection.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # the event loop closes aborted sockets in its next round

    def _kept(self) -> HttpConnection | None:
        self._close_stale()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_free:
                return connection
        return None

    def _close_stale(self) -> None:
        """Those idle for long come first."""
        oldest = time.monotonic() - KEEP_ALIVE_SECONDS
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.pop(0).abort()

    async def _opened(self) -> HttpConnection:
        try:
            return await connect(self._host, self._port, self._access.tls, self._access.server_name, CONNECT_SECONDS)
        except OSError as fault:  # TimeoutError is one
            why = fault if str(fault) else f"no connection within {CONNECT_SECONDS:g} s"
            raise Unreachable(f"cannot reach {self._access.host}: {why}") from fault
