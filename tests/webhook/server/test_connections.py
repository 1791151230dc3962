"""Hostile and slow clients do not block others, and a server that stops answers what it has begun."""

import asyncio
import io
from collections.abc import Iterable

import aiohttp
import pytest

from shared.kinds import Kind
from shared.model.types import Body
from tests.webhook.make import envelope, flow, job, known, review
from tests.webhook.server.serving import PAIR, TlsClient, running, trusting
from webhook.server import handler, https
from webhook.server.handler import AdmissionHandler
from webhook.server.https import serving
from webhook.server.tls import ServingCertificate
from webhook.subject.lookups import MissingObject


async def raw(port: int, data: bytes, *, tls: bool) -> asyncio.StreamWriter:
    context = trusting() if tls else None
    host = "localhost" if tls else None
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
    writer.write(data)
    await writer.drain()
    return writer


HOSTILE: dict[str, tuple[bytes, bool]] = {
    "that talks no TLS": (b"POST / HTTP/1.1\r\n\r\n", False),
    "that sends noise": (b"\x16\x03\x01\xff\xff" + b"\x00" * 200, False),
    "that sends half a request": (b"POST /jobs/validate HTTP/1.1\r\nHost: x\r\nContent-Le", True),
    "that sends half a body": (b"POST /jobs/validate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", True),
    "that sends no HTTP": (b"\x00\x01\x02\r\n\r\n", True),
    "whose header has no end": (b"POST / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", True),
    "that says nothing": (b"", True),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_a_slow_client_does_not_block_others(case: str) -> None:
    data, tls = HOSTILE[case]
    async with running() as client:
        writers = [await raw(client.port, data, tls=tls) for _ in range(20)]
        try:
            assert await client.allowed(flow())
        finally:
            for writer in writers:
                writer.transport.abort()
        assert await client.allowed(flow())


async def test_a_slow_body_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "READ_SECONDS", 0.05)
    async with running() as client:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", client.port, ssl=trusting(), server_hostname="localhost"
        )
        writer.write(b"POST /jobs/validate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        answer = await reader.read(100)
        assert b" 408 " in answer.split(b"\r\n")[0]
        writer.transport.abort()


async def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "IDLE_SECONDS", 0.05)
    async with running() as client:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", client.port, ssl=trusting(), server_hostname="localhost"
        )
        writer.write(b"POST /jobs/validate HTTP/1.1\r\nHost: x\r\n")
        assert await reader.read() == b""
        writer.close()


async def test_an_incomplete_handshake_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "HANDSHAKE_SECONDS", 0.05)
    async with running() as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        assert await reader.read() == b""
        writer.close()


async def test_running_requests_are_finished_on_shutdown() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def find(absences: Iterable[MissingObject], seconds: float) -> list[tuple[Kind, Body]]:
        entered.set()
        await release.wait()
        return []

    certificate = ServingCertificate()
    certificate.use(PAIR.certificate, PAIR.key)
    connector = aiohttp.TCPConnector(ssl=trusting())
    async with aiohttp.ClientSession(connector=connector) as session:
        async with serving(
            AdmissionHandler(known(), find=find), "127.0.0.1", 0, certificate.context, grace=5.0
        ) as port:
            client = TlsClient(session, port)
            answer = asyncio.create_task(client.post("/jobs/validate", envelope(review(job(queue="new")))))
            await entered.wait()
            asyncio.get_running_loop().call_later(0.05, release.set)
        assert (await answer)[0] == 200


async def test_a_draining_server_closes_each_connection_with_its_next_response() -> None:
    """Else the API server would send a review over a connection that closes under it, and an apply would fail."""
    certificate, leaving = ServingCertificate(), asyncio.Event()
    certificate.use(PAIR.certificate, PAIR.key)
    connector = aiohttp.TCPConnector(ssl=trusting(), limit=1)
    listening = serving(
        AdmissionHandler(known()), "127.0.0.1", 0, certificate.context, grace=1.0, leaving=lambda: leaving.is_set()
    )
    async with listening as port, aiohttp.ClientSession(connector=connector) as session:
        url = f"https://localhost:{port}/jobflows/validate"

        async def said() -> str:
            async with session.post(url, data=io.BytesIO(envelope(review(flow())))) as answer:
                assert answer.status == 200
                return answer.headers.get("Connection", "")

        assert await said() == ""
        leaving.set()
        assert [await said(), await said()] == ["close", "close"]
