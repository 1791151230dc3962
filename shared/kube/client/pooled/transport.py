"""Sends single HTTP requests with credentials, over two pools of keep-alive connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared.kube.client.access import Access
from shared.kube.client.errors import ConnectionLost, Timeout
from shared.kube.client.pooled.connection import BrokenConnection, HttpConnection, Reply, request_head
from shared.kube.client.pooled.pool import ConnectionPool
from shared.kube.client.requests import Answer, Request

if TYPE_CHECKING:
    from shared.kube.client.transport import Transport

CONNECTIONS: Final = 20  # measured: more are not faster, and each takes a handshake


class Content:
    """The body of an answer as it arrives. `iter_any` raises ConnectionLost and Timeout."""

    def __init__(self, reply: Reply, idle: float, where: str) -> None:
        self._reply, self._idle, self._where = reply, idle, where

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Parts of any size."""
        try:
            async for chunk in self._reply.chunks(self._idle):
                yield chunk
        except BrokenConnection as fault:
            raise ConnectionLost(f"{self._where}: {fault}") from fault
        except TimeoutError as fault:
            raise Timeout(f"{self._where}: no data for {self._idle:g} s") from fault

    async def read(self) -> bytes:
        """What is left of the body."""
        return b"".join([chunk async for chunk in self.iter_any()])


class PooledTransport:
    """What `Transport` does, for processes that do not use aiohttp anyway. It knows no proxies.

    A bounded pool is for requests; an unbounded one for streams, which last minutes.
    """

    def __init__(self, access: Access, *, user_agent: str = "jobflow", connections: int = CONNECTIONS) -> None:
        where = urlsplit(access.host)
        self._access = access
        self._prefix = where.path
        self._host = where.netloc.rpartition("@")[2]
        self._agent = user_agent
        self._requests = ConnectionPool(access, connections)
        self._streams = ConnectionPool(access)

    async def close(self) -> None:
        await self._requests.close()
        await self._streams.close()

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def renew(self) -> None:
        """Loads the credentials again after the API server has refused those in use."""
        await self._access.authorization(renew=True)

    async def send(self, request: Request, seconds: float) -> Answer:
        """The answer, with any status, within `seconds`. Raises Unreachable, ConnectionLost or Timeout."""
        where = f"{request.method} {request.target}"
        try:
            async with asyncio.timeout(seconds), self._requests.connection() as connection:
                reply = await self._ask(connection, request)
                body = await reply.body()
        except TimeoutError as fault:
            raise Timeout(f"{where}: no answer in time") from fault
        except BrokenConnection as fault:
            raise ConnectionLost(f"{where}: {fault}") from fault
        warnings = tuple(value.decode("utf-8", "replace") for value in reply.headers.get(b"warning", ()))
        return Answer(reply.code, body, reply.header(b"retry-after"), warnings)

    @asynccontextmanager
    async def stream(self, request: Request, idle: float) -> AsyncIterator[tuple[int, Content, str]]:
        """Status, body and Retry-After. Raises Unreachable, ConnectionLost, and Timeout if nothing comes for `idle` seconds."""
        where = f"{request.method} {request.target}"
        async with self._streams.connection() as connection:
            try:
                async with asyncio.timeout(idle):
                    reply = await self._ask(connection, request, streams=True)
                    await reply.begun()
            except TimeoutError as fault:
                raise Timeout(f"{where}: no answer in time") from fault
            except BrokenConnection as fault:
                raise ConnectionLost(f"{where}: {fault}") from fault
            yield reply.code, Content(reply, idle, where), reply.header(b"retry-after")

    async def _ask(self, connection: HttpConnection, request: Request, *, streams: bool = False) -> Reply:
        headers = {"Host": self._host, "User-Agent": self._agent, "Accept": request.accept}
        headers["Accept-Encoding"] = "identity"
        if authorization := await self._access.authorization():
            headers["Authorization"] = authorization
        if not request.reads:
            headers |= {"Content-Type": request.content_type, "Content-Length": str(len(request.body or b""))}
        head = request_head(request.method, self._prefix + request.target, headers)
        return connection.send(head, request.body or b"", streams=streams)


def long_running(access: Access, *, user_agent: str = "jobflow") -> "PooledTransport | Transport":
    """The transport of a process that runs for long: this one, or aiohttp behind a proxy."""
    if not access.proxy:
        return PooledTransport(access, user_agent=user_agent)
    from shared.kube.client.transport import Transport

    return Transport(access, user_agent=user_agent)
