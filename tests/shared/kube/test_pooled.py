"""Connections that are kept: what is sent, which are used again, and how broken servers and slow readers are met."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import uvloop

from certs.issue import issue_serving, new_authority
from shared.kube.client.access import Access, Credentials
from shared.kube.client.errors import ConnectionLost, Timeout, Unreachable
from shared.kube.client.pooled.connection import READ_BUFFER, request_head
from shared.kube.client.pooled.transport import PooledTransport, long_running
from shared.kube.client.requests import Request
from shared.kube.client.transport import Transport
from tests.shared.kube.fake import until

GET = Request("get", "GET", "/api/v1/pods")
POST = Request("create", "POST", "/api/v1/pods", b'{"kind":"Pod"}')
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request on a connection with the next of `answers`, again and again. None: it hangs up."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = answers
        self.connections = 0
        self.received: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.received.append(head + await reader.readexactly(int(length or 0)))
                answer = self.answers[(len(self.received) - 1) % len(self.answers)]
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def serving(
    server: Server, *, connections: int = 20, prefix: str = "", tls: ssl.SSLContext | None = None, ca: str = ""
) -> AsyncIterator[PooledTransport]:
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    host = f"http{'s' if tls else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}{prefix}"
    transport = PooledTransport(Access(Credentials(host, "Bearer t", ca_data=ca)), connections=connections)
    try:
        yield transport
    finally:
        await transport.close()
        listening.close()
        for writer in server.writers:
            writer.close()


async def test_a_request_says_where_it_goes_who_sends_it_and_how_long_it_is() -> None:
    server = Server(OK)
    async with serving(server, prefix="/clusters/c1") as transport:
        assert (await transport.send(POST, 5)).body == b"ok"
        assert (await transport.send(GET, 5)).code == 200
    head, _, body = server.received[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /clusters/c1/api/v1/pods HTTP/1.1"
    assert {"Authorization: Bearer t", "Content-Length: 14", "Content-Type: application/json"} <= set(lines)
    assert body == b'{"kind":"Pod"}'
    assert b"Content-" not in server.received[1]


async def test_connections_are_used_again_and_no_more_are_opened_than_allowed() -> None:
    server = Server(OK)
    async with serving(server, connections=2) as transport:
        for _ in range(3):
            await asyncio.gather(*(transport.send(GET, 5) for _ in range(10)))
    assert server.connections == 2
    assert len(server.received) == 30


NOT_KEPT = {
    "the server says that it closes": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "more than the answer": OK + b"HTTP/1.1 200 OK\r\n",
}


@pytest.mark.parametrize("answer", NOT_KEPT.values(), ids=NOT_KEPT.keys())
async def test_a_connection_is_not_used_again_after(answer: bytes) -> None:
    server = Server(answer)
    async with serving(server) as transport:
        for _ in range(3):
            assert (await transport.send(GET, 5)).body == b"ok"
    assert server.connections == 3


async def test_an_idle_connection_that_the_server_has_closed_is_not_used() -> None:
    server = Server(OK)
    async with serving(server) as transport:
        await transport.send(GET, 5)
        pool = transport._requests
        server.writers[0].close()
        await until(lambda: not pool._idle[0].is_free)
        assert (await transport.send(POST, 5)).code == 200
    assert server.connections == 2


BODIES = {
    "in chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok"),
    "without a length, until the end": (b"HTTP/1.0 200 OK\r\n\r\nok", b"ok"),
    "none": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "of length 0": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
}


@pytest.mark.parametrize(("answer", "body"), BODIES.values(), ids=BODIES.keys())
async def test_a_body(answer: bytes, body: bytes) -> None:
    server = Server(answer)
    async with serving(server) as transport:
        asked = asyncio.ensure_future(transport.send(GET, 5))
        await until(lambda: bool(server.received))
        if answer.startswith(b"HTTP/1.0"):
            server.writers[0].close()
        assert (await asked).body == body


BROKEN: dict[str, bytes | None] = {
    "a server that hangs up": None,
    "an answer that is not HTTP": b"hello\r\n\r\n",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_is_a_lost_connection(answer: bytes | None) -> None:
    server = Server(answer)
    async with serving(server) as transport:
        asked = asyncio.ensure_future(transport.send(POST, 5))
        await until(lambda: bool(server.received))
        if answer and answer.startswith(b"HTTP"):
            server.writers[0].close()
        with pytest.raises(ConnectionLost):
            await asked


async def test_after_a_timeout_the_connection_is_not_used_and_its_place_is_free() -> None:
    server = Server(b"", OK)
    async with serving(server, connections=1) as transport:
        with pytest.raises(Timeout):
            await transport.send(GET, 0.05)
        assert (await transport.send(GET, 5)).body == b"ok"
    assert server.connections == 2


async def test_a_cancelled_request_leaves_its_place_to_others() -> None:
    server = Server(b"", OK)
    async with serving(server, connections=1) as transport:
        first = asyncio.ensure_future(transport.send(GET, 5))
        await until(lambda: bool(server.received))
        first.cancel()
        assert (await transport.send(GET, 5)).body == b"ok"


async def test_a_stream_that_nobody_reads_is_held_back() -> None:
    part = b"%x\r\n%s\r\n" % (2**16, b"x" * 2**16)
    server = Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + 64 * part + b"0\r\n\r\n")
    async with serving(server) as transport, transport.stream(GET, 5) as (code, content, _):
        assert code == 200
        reply = content._reply
        await until(lambda: reply._size > READ_BUFFER)
        assert reply._size < 2 * READ_BUFFER + 2**18
        assert len(await content.read()) == 2**22


async def test_a_stream_that_is_left_early_ends_its_connection() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    async with serving(server) as transport:
        for _ in range(2):
            async with transport.stream(GET, 5) as (_, content, _):
                assert await anext(content.iter_any()) == b"ok"
    assert server.connections == 2


async def test_a_stream_without_news_is_a_timeout_and_a_broken_one_a_lost_connection() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    async with serving(server) as transport:
        async with transport.stream(GET, 0.05) as (_, content, _):
            with pytest.raises(Timeout):
                await content.read()
        async with transport.stream(GET, 5) as (_, content, _):
            server.writers[-1].transport.abort()
            with pytest.raises(ConnectionLost):
                await content.read()


@pytest.mark.parametrize(
    ("target", "value"),
    [("/a b", "x"), ("/a\r\nX: y", "x"), ("/\u00e4", "x"), ("/a", "x\r\nHost: y"), ("/a", "\u00e4")],
)
def test_what_would_end_a_line_is_not_sent(target: str, value: str) -> None:
    with pytest.raises(ValueError, match="not"):
        request_head("GET", target, {"Authorization": value})


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_over_tls_the_certificate_is_checked(
    loop: Callable[[], asyncio.AbstractEventLoop], tmp_path_factory: pytest.TempPathFactory
) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    ours, others = new_authority("ours", now), new_authority("others", now)
    pair = issue_serving(ours, ("127.0.0.1",), now)
    folder = tmp_path_factory.mktemp("tls")
    (folder / "pair").write_bytes(pair.certificate + pair.key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "pair")

    async def both() -> None:
        async with serving(Server(OK), tls=tls, ca=ours.certificate.decode()) as transport:
            for _ in range(2):
                assert (await transport.send(POST, 5)).body == b"ok"
            async with transport.stream(GET, 5) as (_, content, _):
                assert await content.read() == b"ok"
        async with serving(Server(OK), tls=tls, ca=others.certificate.decode()) as transport:
            with pytest.raises(Unreachable, match="certificate"):
                await transport.send(GET, 5)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(both())


def test_behind_a_proxy_aiohttp_is_used() -> None:
    assert isinstance(long_running(Access(Credentials("http://a"))), PooledTransport)
    assert isinstance(long_running(Access(Credentials("http://a", proxy="http://p:3128"))), Transport)
