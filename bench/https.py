"""An HTTPS client with little overhead: sequential requests on several connections, answers are not decoded."""

import asyncio
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

import msgspec

_LENGTH: Final = b"content-length:"


class HttpResult(msgspec.Struct, frozen=True):
    """`times`: seconds of each request; `seconds`: from the first to the last answer."""

    times: tuple[float, ...]
    seconds: float


class BadAnswer(RuntimeError):
    """The server denied a request that it must allow."""


class HttpsClient:
    def __init__(self, url: str, bundle: bytes) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 443)
        self._tls = ssl.create_default_context(cadata=bundle.decode())

    async def load(self, path: str, body: bytes, connections: int, seconds: float) -> HttpResult:
        """POST `body` repeatedly for `seconds`. Raises BadAnswer at the first answer that does not allow it."""
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        message = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        opened = [await asyncio.open_connection(self._host, self._port, ssl=self._tls) for _ in range(connections)]
        started = time.perf_counter()
        try:
            works = (self._repeat(reader, writer, message, started + seconds) for reader, writer in opened)
            times = await asyncio.gather(*works)
            return HttpResult(tuple(each for one in times for each in one), time.perf_counter() - started)
        finally:
            for _, writer in opened:
                writer.transport.abort()

    async def _repeat(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes, end: float
    ) -> list[float]:
        times: list[float] = []
        while (at := time.perf_counter()) < end:
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(length(head))
            times.append(time.perf_counter() - at)
            if not head.startswith(b"HTTP/1.1 200 ") or b'"allowed":true' not in answer:
                raise BadAnswer(f"{head[:30].decode()}: {answer[:500].decode(errors='replace')}")
        return times


def length(head: bytes) -> int:
    """The length of the body, from the header. Raises LookupError if the header has none."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    raise LookupError("a response without Content-Length")
