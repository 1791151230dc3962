"""The whole HTTPS side over real TLS: reviews, bad requests, hostile clients, a certificate replaced under load."""

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from certs.issue import CertificatePair, issue_serving, new_authority
from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from tests.webhook.make import envelope, flow, job, known, queue, review, step
from tests.webhook.policies.make import policy
from tests.webhook.policies.test_exceptions import ALLOWED, CREATED, exception
from webhook.server import handler, https
from webhook.server.handler import AdmissionHandler
from webhook.server.https import serving
from webhook.server.tls import ServingCertificate
from webhook.subject.lookups import MissingObject

NOW = datetime(2026, 11, 21, tzinfo=UTC)
AUTHORITY = new_authority("test", NOW)


def issued(number: int = 1) -> CertificatePair:
    return issue_serving(AUTHORITY, ("localhost", "127.0.0.1", f"n{number}.test"), NOW)


PAIR = issued()


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class TlsClient:
    """Posts reviews as the API server does."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.session = session
        self.port = port

    async def post(self, path: str, data: bytes) -> tuple[int, Any]:
        async with self.session.post(f"https://localhost:{self.port}{path}", data=io.BytesIO(data)) as answer:
            return answer.status, json.loads(await answer.read())

    async def allowed(self, manifest: Body, path: str = "/jobflows/validate") -> bool:
        status, body = await self.post(path, envelope(review(manifest)))
        assert status == 200
        return bool(body["response"]["allowed"])


@asynccontextmanager
async def running(handler: AdmissionHandler | None = None) -> AsyncIterator[TlsClient]:
    certificate = ServingCertificate()
    certificate.use(PAIR.certificate, PAIR.key)
    handler = handler or AdmissionHandler(known())
    async with (
        serving(handler, "127.0.0.1", 0, certificate.context, grace=1.0) as port,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting())) as session,
    ):
        yield TlsClient(session, port)


async def test_a_review_is_answered_over_tls() -> None:
    async with running() as client:
        assert await client.allowed(flow())
        assert not await client.allowed(flow(step("a", "a")))


async def test_only_mutate_returns_a_patch() -> None:
    async with running() as client:
        _, mutated = await client.post("/jobflows/mutate", envelope(review(flow())))
        _, validated = await client.post("/jobflows/validate", envelope(review(flow())))
    assert "patch" in mutated["response"]
    assert "patch" not in validated["response"]


async def test_a_review_of_another_kind_on_a_path_is_allowed() -> None:
    async with running() as client:
        assert await client.allowed(flow(step("a", "a")), "/jobs/validate")


BAD: dict[str, tuple[str, bytes, int, str]] = {
    "garbage": ("/jobflows/validate", b"\x00\xff{", 400, "BadRequest"),
    "nothing": ("/jobflows/mutate", b"", 400, "BadRequest"),
    "an unknown path": ("/nowhere", b"{}", 404, "NotFound"),
    "more than 3 MiB": ("/jobflows/validate", b" " * (3 * 1024 * 1024 + 1), 413, "RequestEntityTooLarge"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_request_gets_a_status_and_the_server_continues(case: str) -> None:
    path, data, code, reason = BAD[case]
    async with running() as client:
        status, body = await client.post(path, data)
        assert (status, body["kind"], body["reason"], body["code"]) == (code, "Status", reason, code)
        assert await client.allowed(flow())


async def test_only_post_is_accepted() -> None:
    async with running() as client, client.session.get(f"https://localhost:{client.port}/jobflows/validate") as answer:
        assert answer.status == 405


async def test_a_body_of_nearly_3_mib_is_validated() -> None:
    large = flow(step("a"), step("b", "a"), params=[{"name": f"p{n}", "value": "x" * 4000} for n in range(700)])
    assert 2_800_000 < len(envelope(review(large))) < handler.BODY_LIMIT
    async with running() as client:
        assert await client.allowed(large)


async def test_a_body_without_length_is_cut_off_at_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    async with running() as client:
        async with client.session.post(f"https://localhost:{client.port}/jobs/validate", data=endless()) as answer:
            assert answer.status == 413
        assert await client.allowed(flow())


class FailingHandler(AdmissionHandler):
    async def _decide(self, route: Any, review: Any) -> Any:
        raise RuntimeError("a fault of our own")


async def test_an_internal_error_gives_500_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with running(FailingHandler(known())) as client:
        for _ in range(2):
            status, body = await client.post("/jobs/validate", envelope(review(job())))
            assert (status, body["reason"]) == (500, "InternalError")
    assert "a fault of our own" in caplog.text


async def test_a_queue_missing_from_the_cache_is_looked_up_once() -> None:
    asked: list[MissingObject] = []

    async def find(absences: Iterable[MissingObject]) -> list[tuple[Kind, Body]]:
        asked.extend(absences)
        return [(kinds.QUEUE, queue("new", None))]

    async with running(AdmissionHandler(known(), find=find)) as client:
        assert await client.allowed(job(queue="new"), "/jobs/validate")
        assert await client.allowed(job(), "/jobs/validate")
    assert asked == [MissingObject(kinds.QUEUE, "", "new")]


COUNTING = {
    "apiVersion": "policy.jobflow.dev/v1alpha1",
    "kind": "JobFlowPolicy",
    "metadata": {"name": "one"},
    "spec": {"limits": {"maxRunningFlows": 1}},
}


async def test_flows_are_listed_live_before_their_number_refuses_one() -> None:
    stored: list[dict[str, Any]] = [flow(step("a"), name="old")]
    listed: list[str] = []

    async def list_live(kind: Kind, namespace: str) -> list[dict[str, Any]] | None:
        listed.append(f"{kind.kind} {namespace}")
        return stored

    handler = AdmissionHandler(known(COUNTING, flow(step("a"), name="old")), list_live=list_live)
    async with running(handler) as client:
        assert not await client.allowed(flow(step("a"), name="new"))
        stored.clear()
        assert await client.allowed(flow(step("a"), name="new"))
        assert not await client.allowed(flow(step("a"), name="newer")), "the flow that was just admitted counts"
    assert listed == ["JobFlow ns1"] * 3


async def test_jobs_are_listed_live_before_their_number_refuses_one() -> None:
    stored: list[dict[str, Any]] = [job(name="old")]
    listed: list[str] = []

    async def list_live(kind: Kind, namespace: str) -> list[dict[str, Any]] | None:
        listed.append(f"{kind.kind} {namespace}")
        return stored

    counting = policy(limits={"maxActiveJobs": 1})
    handler = AdmissionHandler(known(counting, job(name="old")), list_live=list_live)
    async with running(handler) as client:
        assert not await client.allowed(job(name="new"), "/jobs/validate")
        stored.clear()
        assert await client.allowed(job(name="new"), "/jobs/validate")
        assert not await client.allowed(job(name="newer"), "/jobs/validate"), "the Job that was just admitted counts"
    assert listed == ["Job ns1"] * 3


async def test_a_failed_live_list_keeps_the_refusal() -> None:
    async with running(AdmissionHandler(known(COUNTING, flow(step("a"), name="old")))) as client:
        assert not await client.allowed(flow(step("a"), name="new"))


async def test_exceptions_are_listed_live_before_a_policy_that_allows_them_refuses() -> None:
    listed: list[str] = []
    stored: list[dict[str, Any]] | None = [exception()]

    async def list_live(kind: Kind, namespace: str) -> list[dict[str, Any]] | None:
        listed.append(f"{kind.kind} {namespace}")
        return stored

    def handler(*policies: dict[str, Any]) -> AdmissionHandler:
        return AdmissionHandler(known(*policies), list_live=list_live, wall_clock=lambda: CREATED + 1)

    strict = {"limits": {"maxSteps": 0}}
    async with running(handler(policy(**strict, **ALLOWED))) as client:
        assert await client.allowed(flow(step("a")))
        assert listed == ["JobFlowPolicyException ns1"]
        stored = None
        assert not await client.allowed(flow(step("a"))), "a list that fails keeps the refusal"
        stored = []
        assert not await client.allowed(flow(step("a")))
    listed.clear()
    elsewhere = {"exceptions": {"allowedNamespaces": ["ns2"], "maxDuration": "24h"}}
    async with running(handler(policy(**strict, **elsewhere), policy("mild", mode="Warn", **ALLOWED))) as client:
        assert not await client.allowed(flow(step("a")))
    assert listed == []


async def test_a_queue_that_does_not_exist_is_refused() -> None:
    async with running() as client:
        assert not await client.allowed(job(queue="new"), "/jobs/validate")


async def test_an_object_that_takes_too_long_is_refused() -> None:
    ticks = iter(range(0, 10_000, 10))
    async with running(AdmissionHandler(known(), clock=lambda: next(ticks))) as client:
        status, body = await client.post("/jobflows/validate", envelope(review(flow())))
    assert status == 200
    assert "validation took longer than 2 s" in body["response"]["status"]["message"]


# --- hostile clients --------------------------------------------------------------------------------------------------


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

    async def find(absences: Iterable[MissingObject]) -> list[tuple[Kind, Body]]:
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


# --- the certificate --------------------------------------------------------------------------------------------------


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
