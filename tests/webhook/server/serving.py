"""A webhook that serves HTTPS with a certificate of its own authority, and a client that trusts it."""

import io
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from certs.issue import CertificatePair, issue_serving, new_authority
from shared.model.types import Body
from tests.webhook.make import envelope, known, review
from webhook.server.handler import AdmissionHandler
from webhook.server.https import serving
from webhook.server.tls import ServingCertificate

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
