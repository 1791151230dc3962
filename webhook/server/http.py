"""HTTP/1.1 on one connection of the server, parsed by httptools. A web framework would take 11 MiB more."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, cast

import httptools
from httptools import HttpRequestParser

HEAD_BYTES: Final = 16_384  # of all headers and the target
MOST_WAITING: Final = 16  # requests that a client sends before the first is answered; the API server sends one
LINGER_SECONDS: Final = 1.0
JSON: Final = "application/json"


class BodyTooLarge(Exception):
    """The body has more bytes than the server reads."""


class HttpRequest:
    """A request whose head has arrived. `path`: without the query; `content_length`: as its header says, else None."""

    def __init__(self, method: str, path: str, content_length: int | None, most: int) -> None:
        self.method = method
        self.path = path
        self.content_length = content_length
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._ended = asyncio.get_running_loop().create_future()

    async def read(self) -> bytes:
        """The whole body. Raises BodyTooLarge, and ConnectionError if the client has gone."""
        await asyncio.shield(self._ended)
        return b"".join(self._parts)

    @property
    def is_read(self) -> bool:
        """Whether the body has arrived."""
        return self._ended.done() and self._ended.exception() is None

    def add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            self.end(BodyTooLarge())
        else:
            self._parts.append(data)

    def end(self, fault: Exception | None = None) -> None:
        if self._ended.done():
            return
        if fault is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(fault)
            self._ended.exception()  # nobody may be waiting


class HttpResponse:
    """`closes`: the connection ends with it."""

    def __init__(self, status: int, body: bytes, *, closes: bool = False) -> None:
        self.status = status
        self.body = body
        self.closes = closes


Handle = Callable[[HttpRequest], Awaitable[HttpResponse]]


class HttpServerConnection(asyncio.Protocol):
    """Answers the requests of one client, one after the other.

    `connections`: the open ones, this one among them; `idle_seconds`: how long the head of a request may take to come;
    `most`: bytes of a body.
    """

    def __init__(
        self, handle: Handle, connections: "set[HttpServerConnection]", *, idle_seconds: float, most: int
    ) -> None:
        self._handle = handle
        self._connections = connections
        self._idle_seconds = idle_seconds
        self._most = most
        self._transport: asyncio.Transport | None = None
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self._target = b""
        self._length: int | None = None
        self._head_bytes = 0
        self._request: HttpRequest | None = None  # whose body is arriving
        self._waiting: deque[tuple[HttpRequest, bool]] = deque()  # with whether the connection is kept
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._leaving = False

    @property
    def task(self) -> "asyncio.Task[None] | None":
        """What answers, while there are requests."""
        return self._task

    def leave(self) -> None:
        """Close the connection once the requests that have arrived are answered."""
        self._leaving = True
        if self._task is None:
            self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no base class
        self._connections.add(self)
        self._arm()

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse(f"not HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._parser = None
        self._connections.discard(self)
        self._disarm()
        if self._request is not None:
            self._request.end(ConnectionResetError("the client has gone"))

    # --- httptools
    def on_message_begin(self) -> None:
        self._target, self._length, self._head_bytes = b"", None, 0

    def on_url(self, part: bytes) -> None:
        self._target += part
        self._count(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        if name.lower() == b"content-length" and value.isdigit():
            self._length = int(value)

    def on_headers_complete(self) -> None:
        if self._parser is None:
            return
        method, path = self._parser.get_method().decode("latin-1"), self._target.partition(b"?")[0].decode("latin-1")
        self._request = HttpRequest(method, path, self._length, self._most)
        self._waiting.append((self._request, self._parser.should_keep_alive()))
        self._disarm()
        if len(self._waiting) > MOST_WAITING:
            self.abort()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer_all())

    def on_body(self, data: bytes) -> None:
        if self._request is not None:
            self._request.add(data)

    def on_message_complete(self) -> None:
        if self._request is not None:
            self._request.end()
        self._request = None

    # --- answers
    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                request, keeps = self._waiting.popleft()
                response = await self._handle(request)
                # Of a request that was answered before its end, the rest would be taken for the next one.
                closes = response.closes or self._leaving or not keeps or not request.is_read
                self._write(response, closes=closes)
                if closes:
                    self._close(0.0 if request.is_read else LINGER_SECONDS)
                    return
            self._arm()
        finally:
            self._task = None

    def _write(self, response: HttpResponse, *, closes: bool) -> None:
        if self._transport is None:
            return
        status = HTTPStatus(response.status)
        lines = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Content-Type: {JSON}",
            f"Content-Length: {len(response.body)}",
            *(("Connection: close",) if closes else ()),
        )
        head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        self._transport.write(head + b"\r\n" + response.body)

    def _refuse(self, why: str) -> None:
        """For what cannot be read as a request."""
        if self._request is not None:
            self._request.end(ConnectionResetError(why))
        if self._task is None:
            self._write(HttpResponse(HTTPStatus.BAD_REQUEST, b"{}"), closes=True)
            self._close(LINGER_SECONDS)
        else:
            self._leaving, self._parser = True, None

    def _close(self, linger: float) -> None:
        """Close after `linger` seconds. What comes until then is dropped: closed at once, a socket with unread data resets
        the connection, and the client would not see the response."""
        self._parser = None
        if self._transport is not None and not linger:
            self._transport.close()
        elif self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(linger, self.abort)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            self.abort()

    def _arm(self) -> None:
        self._disarm()
        if self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self.abort)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
