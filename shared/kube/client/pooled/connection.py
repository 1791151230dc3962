"""One HTTP/1.1 connection: it sends a request and receives the answer, parsed by httptools."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Final, cast

import httptools
from httptools import HttpResponseParser

READ_BUFFER: Final = 2**18  # bytes of a stream that are kept until somebody reads them
_WITHOUT_BODY: Final = (204, 304)


class BrokenConnection(Exception):
    """The connection ended, or what came is not HTTP. The request may have been carried out."""


class Reply:
    """An answer that is arriving. `headers`: by name in lower case, the values of repeated ones in a list."""

    def __init__(self) -> None:
        self.code = 0
        self.headers: dict[bytes, list[bytes]] = {}
        self.ended = False
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._fault: BrokenConnection | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def header(self, name: bytes) -> str:
        """The first value, or ''."""
        return self.headers.get(name, [b""])[0].decode("latin-1")

    async def begun(self) -> None:
        """Wait for status and headers. Raises BrokenConnection."""
        while not self.code:
            await self._news()

    async def body(self) -> bytes:
        """The whole body, or what has not been taken from `chunks`. Raises BrokenConnection."""
        while not self.ended:
            await self._news()
        return self._take()

    async def chunks(self, idle: float) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises BrokenConnection, and TimeoutError if nothing arrives for `idle` seconds."""
        while True:
            if data := self._take():
                yield data
            elif self.ended:
                return
            else:
                async with asyncio.timeout(idle):
                    await self._news()

    async def _news(self) -> None:
        if self._fault is not None:
            raise self._fault
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None
        if self._fault is not None:
            raise self._fault

    def _take(self) -> bytes:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._transport is not None:
            self._transport.resume_reading()
            self._transport = None
        return data

    # --- called by the connection
    def tell(self) -> None:
        """Wake whoever waits for news."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def add(self, data: bytes, transport: asyncio.Transport | None) -> None:
        """A part of the body. `transport`: stops reading while much is waiting to be taken; None: take all."""
        self._chunks.append(data)
        self._size += len(data)
        if transport is not None and self._size > READ_BUFFER and self._transport is None:
            transport.pause_reading()
            self._transport = transport

    def fail(self, why: str) -> None:
        self._fault = self._fault or BrokenConnection(why)
        self.tell()

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection is the end of the body."""
        sized = b"content-length" in self.headers or b"transfer-encoding" in self.headers
        return bool(self.code) and not sized and self.code not in _WITHOUT_BODY


class HttpConnection(asyncio.Protocol):
    """One request at a time. `idle_since`: on the monotonic clock."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._keeps_open = True
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self._reply: Reply | None = None
        self._streams = False

    @property
    def is_free(self) -> bool:
        """Whether another request may follow: the last one is answered, and the connection is open."""
        return self._keeps_open and self._reply is None and self._transport is not None

    def send(self, head: bytes, body: bytes, *, streams: bool = False) -> Reply:
        """Send a request. `streams`: the answer is read in parts, as by `Reply.chunks`."""
        reply = self._reply = Reply()
        self._parser = HttpResponseParser(self)
        self._streams = streams
        if self._transport is None:
            reply.fail("the connection is closed")
        else:
            self._transport.write(head + body)
        return reply

    def abort(self) -> None:
        """End the connection at once, without TLS's closing handshake, for which nobody would wait."""
        self._keeps_open = False
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no base class

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            self.abort()  # nothing was asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the answer is not HTTP: {error}")
            self.abort()
            return
        if self._reply is not None:
            self._reply.tell()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        reply = self._reply
        if reply is not None and exc is None and reply.ends_with_connection:
            self.on_message_complete()
            reply.tell()
        else:
            self._fail(f"the connection was closed{f': {exc!r}' if exc else ''}")

    # --- httptools
    def on_message_begin(self) -> None:
        if self._reply is None:
            self.abort()  # more than the answer

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reply is not None:
            self._reply.headers.setdefault(name.lower(), []).append(value)

    def on_headers_complete(self) -> None:
        if self._reply is not None and self._parser is not None:
            self._reply.code = self._parser.get_status_code()
            self._keeps_open = self._keeps_open and self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        if self._reply is not None:
            self._reply.add(data, self._transport if self._streams else None)

    def on_message_complete(self) -> None:
        if self._reply is not None:
            self._reply.ended = True
            self._reply.tell()
        self._reply = self._parser = None

    def _fail(self, why: str) -> None:
        if self._reply is not None:
            self._reply.fail(why)
        self._reply = self._parser = None


async def connect(
    host: str, port: int, tls: ssl.SSLContext | None, server_name: str | None, seconds: float
) -> HttpConnection:
    """Raises OSError, also for a certificate that is not trusted, and TimeoutError."""
    async with asyncio.timeout(seconds):
        _, connection = await asyncio.get_running_loop().create_connection(
            HttpConnection, host, port, ssl=tls, server_hostname=(server_name or host) if tls else None
        )
    return connection


def request_head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Request line and headers. Raises ValueError for characters that would end a line."""
    if not (target.isascii() and target.isprintable()) or " " in target:
        raise ValueError(f"not a request target: {target!r}")
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"header {name} has characters that are not allowed")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii")
