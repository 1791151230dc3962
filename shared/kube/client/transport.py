"""Sends single HTTP requests with aiohttp, with credentials and connection pools. It does not know Kubernetes objects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from shared.kube.client.access import Access
from shared.kube.client.errors import ConnectionLost, Timeout, Unreachable
from shared.kube.client.requests import CONNECT_SECONDS, Answer, Request, no_answer

CONNECTIONS: Final = 20  # measured: more are not faster, and each takes a handshake and 300 KB
# A TLS connection keeps buffers as large as the largest message it has carried, up to 1 MB. So large messages share a few.
LARGE_BODY: Final = 2**15
LARGE_CONNECTIONS: Final = 2
KEEP_ALIVE_SECONDS: Final = 60.0
READ_BUFFER: Final = 2**18


class ConnectionPools:
    """Pools of keep-alive connections: bounded ones for requests and for those with large bodies, an unbounded one for
    watches, which last minutes.

    Each is made when it is first used, because that must happen inside the event loop.
    """

    def __init__(self, access: Access, user_agent: str, connections: int) -> None:
        self._tls = access.tls
        self._agent = user_agent
        self._connections = connections
        self._requests: aiohttp.ClientSession | None = None
        self._large: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None

    @property
    def requests(self) -> aiohttp.ClientSession:
        if self._requests is None:
            self._requests = self._session(self._connections)
        return self._requests

    @property
    def large(self) -> aiohttp.ClientSession:
        if self._large is None:
            self._large = self._session(LARGE_CONNECTIONS)
        return self._large

    @property
    def watches(self) -> aiohttp.ClientSession:
        if self._watches is None:
            self._watches = self._session(0)
        return self._watches

    async def close(self) -> None:
        for session in (self._requests, self._large, self._watches):
            if session is not None:
                await session.close()

    def _session(self, connections: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=connections, ssl=self._tls or False, keepalive_timeout=KEEP_ALIVE_SECONDS, ttl_dns_cache=30
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._agent, "Accept-Encoding": "identity"},
            read_bufsize=READ_BUFFER,
            trust_env=False,
        )


class Transport:
    """Requests with the credentials of `access`. `pools`: connections of another Transport to the same API server."""

    def __init__(
        self,
        access: Access,
        *,
        user_agent: str = "jobflow",
        connections: int = CONNECTIONS,
        pools: ConnectionPools | None = None,
    ) -> None:
        self._access = access
        self._pools = pools or ConnectionPools(access, user_agent, connections)

    def bearing(self, authorization: str) -> "Transport":
        """A transport over the same connections that sends this Authorization header. Closing this one closes both."""
        return Transport(self._access.bearing(authorization), pools=self._pools)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._pools.close()

    async def send(self, request: Request, seconds: float) -> Answer:
        """The answer, with any status, within `seconds`. Raises Unreachable, ConnectionLost or Timeout."""
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        is_large = request.body is not None and len(request.body) > LARGE_BODY
        pool = self._pools.large if is_large else self._pools.requests
        async with self._open(pool, request, limits) as response:
            body = await response.read()
            warnings = response.headers.getall("Warning", ())
            return Answer(response.status, body, response.headers.get("Retry-After", ""), tuple(warnings))

    @asynccontextmanager
    async def stream(self, request: Request, idle: float) -> AsyncIterator[tuple[int, aiohttp.StreamReader, str]]:
        """Status, body stream and Retry-After. Raises Timeout if no data arrives for `idle` seconds."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=idle)
        async with self._open(self._pools.watches, request, limits) as response:
            try:
                yield response.status, response.content, response.headers.get("Retry-After", "")
            finally:
                _cut(response)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def renew(self) -> None:
        """Loads the credentials again after the API server has refused those in use."""
        await self._access.authorization(renew=True)

    @asynccontextmanager
    async def _open(
        self, session: aiohttp.ClientSession, request: Request, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Accept": request.accept}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        if authorization := await self._access.authorization():
            headers["Authorization"] = authorization
        try:
            async with session.request(
                request.method,
                URL(self._access.host + request.target, encoded=True),
                data=request.body,
                headers=headers,
                timeout=limits,
                allow_redirects=False,
                proxy=self._access.proxy,
                server_hostname=self._access.server_name,
            ) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as fault:
            raise Unreachable(f"cannot reach {self._access.host}: {fault}") from fault
        except TimeoutError as fault:
            raise Timeout(no_answer(self._access.host, request, limits.total or limits.sock_read or 0)) from fault
        except (aiohttp.ClientError, ConnectionError) as fault:
            raise ConnectionLost(f"{request.method} {request.target}: {fault!r}") from fault


def _cut(response: aiohttp.ClientResponse) -> None:
    """Ends an unfinished answer without the TLS close handshake.

    Closing the session would not wait for that handshake, and the socket would outlive its event loop.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
