"""Sends single HTTP requests with aiohttp, with credentials and connection pools. It does not know Kubernetes objects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self

import aiohttp
import msgspec
from yarl import URL

from shared.kube.client.access import Access
from shared.kube.client.errors import ConnectionLost, Timeout, Unreachable
from shared.kube.client.requests import JSON, Request

CONNECTIONS: Final = 20  # measured: more are not faster, and each takes a handshake and 300 KB
KEEP_ALIVE_SECONDS: Final = 60.0
CONNECT_SECONDS: Final = 10.0
READ_BUFFER: Final = 2**18


class Answer(msgspec.Struct, frozen=True):
    """`code`: HTTP status; `body`: the whole body; `retry_after`: the header or ''; `warnings`: Warning headers."""

    code: int
    body: bytes
    retry_after: str = ""
    warnings: tuple[str, ...] = ()


class Transport:
    """Two pools of keep-alive connections: a bounded one for requests, an unbounded one for watches, which last minutes."""

    def __init__(self, access: Access, *, user_agent: str = "jobflow", connections: int = CONNECTIONS) -> None:
        self._access = access
        self._agent = user_agent
        self._connections = connections
        self._requests: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        for session in (self._requests, self._watches):
            if session is not None:
                await session.close()

    async def send(self, request: Request, seconds: float) -> Answer:
        """The answer, with any status, within `seconds`. Raises Unreachable, ConnectionLost or Timeout."""
        if self._requests is None:
            self._requests = self._session(self._connections)
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        async with self._open(self._requests, request, limits) as response:
            body = await response.read()
            warnings = response.headers.getall("Warning", ())
            return Answer(response.status, body, response.headers.get("Retry-After", ""), tuple(warnings))

    @asynccontextmanager
    async def stream(self, request: Request, idle: float) -> AsyncIterator[tuple[int, aiohttp.StreamReader, str]]:
        """Status, body stream and Retry-After. Raises Timeout if no data arrives for `idle` seconds."""
        if self._watches is None:
            self._watches = self._session(0)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=idle)
        async with self._open(self._watches, request, limits) as response:
            try:
                yield response.status, response.content, response.headers.get("Retry-After", "")
            finally:
                _cut(response)

    async def renew(self) -> None:
        """Loads the credentials again after the API server has refused those in use."""
        await self._access.authorization(renew=True)

    def _session(self, connections: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=connections, ssl=self._access.tls or False, keepalive_timeout=KEEP_ALIVE_SECONDS, ttl_dns_cache=30
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._agent, "Accept": JSON, "Accept-Encoding": "identity"},
            read_bufsize=READ_BUFFER,
            trust_env=False,
        )

    @asynccontextmanager
    async def _open(
        self, session: aiohttp.ClientSession, request: Request, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Content-Type": request.content_type} if request.body is not None else {}
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
            raise Timeout(f"{request.method} {request.target}: no answer in time") from fault
        except (aiohttp.ClientError, ConnectionError) as fault:
            raise ConnectionLost(f"{request.method} {request.target}: {fault!r}") from fault


def _cut(response: aiohttp.ClientResponse) -> None:
    """Ends an unfinished answer without the TLS close handshake.

    Closing the session would not wait for that handshake, and the socket would outlive its event loop.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
