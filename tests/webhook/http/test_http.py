"""HTTP as the webhook's server speaks it, without TLS: odd but valid requests are answered, others end the connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from webhook.server import http
from webhook.server.http import BodyTooLarge, HttpRequest, HttpResponse, HttpServerConnection

MOST = 100


async def echo(request: HttpRequest) -> HttpResponse:
    try:
        return HttpResponse(200, f"{request.method} {request.path} ".encode() + await request.read())
    except BodyTooLarge:
        return HttpResponse(413, b"too large", closes=True)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    connections: set[HttpServerConnection] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpServerConnection(echo, connections, idle_seconds=60, most=MOST), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        server.close()
        for connection in tuple(connections):
            connection.abort()


async def told(sent: bytes, *, part: int = 0) -> bytes:
    """Everything that the server sends until it closes. `part`: bytes that are sent at once."""
    async with serving() as (reader, writer):
        for at in range(0, len(sent), part or len(sent)):
            writer.write(sent[at : at + (part or len(sent))])
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            return await reader.read()


def bodies(answer: bytes) -> list[bytes]:
    return [each.partition(b"\r\n\r\n")[2] for each in answer.split(b"HTTP/1.1 ")[1:]]


LAST = b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"
VALID: dict[str, tuple[bytes, list[bytes]]] = {
    "a body of a known length": (b"POST /a?x=1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nok" + LAST, [b"POST /a ok"]),
    "a body in chunks": (
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n" + LAST,
        [b"POST /a ok"],
    ),
    "several requests at once, answered in order": (
        b"".join(b"POST /%d HTTP/1.1\r\nContent-Length: 1\r\n\r\n%d" % (at, at) for at in range(9)) + LAST,
        [b"POST /%d %d" % (at, at) for at in range(9)],
    ),
}


@pytest.mark.parametrize("part", [0, 1], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("sent", "wanted"), VALID.values(), ids=VALID.keys())
async def test_answers(sent: bytes, wanted: list[bytes], part: int) -> None:
    assert bodies(await told(sent, part=part)) == [*wanted, b"GET /last "]


async def test_http_1_0_closes_after_the_answer() -> None:
    assert bodies(await told(b"POST /a HTTP/1.0\r\nContent-Length: 2\r\n\r\nok")) == [b"POST /a ok"]


TOO_LARGE = {
    "of a known length": b"POST /a HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
    "in chunks": b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101 + b"\r\n65\r\n",
}


@pytest.mark.parametrize("sent", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_a_body_that_is_too_large_is_answered_and_ends_the_connection(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LINGER_SECONDS", 0.05)
    answer = await told(sent)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close\r\n" in answer


WITHOUT_ANSWER = {
    "a head without end": b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: %s\r\n" % (at, b"x" * 100) for at in range(1000)),
    "a target without end": b"GET /" + b"x" * 100_000,
    "too many requests at once": 1000 * b"GET /a HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("sent", WITHOUT_ANSWER.values(), ids=WITHOUT_ANSWER.keys())
async def test_ends_the_connection(sent: bytes) -> None:
    async with serving() as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(20):
            with suppress(ConnectionError):  # which means the same, where data was not read
                assert await reader.read() == b""


async def test_what_is_not_http_is_a_bad_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LINGER_SECONDS", 0.05)
    assert (await told(b"\x00\x01\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_wish_for_another_protocol_is_answered_in_this_one() -> None:
    answer = await told(b"GET /a HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert bodies(answer) == [b"GET /a "]
    assert b"Connection: close\r\n" in answer
