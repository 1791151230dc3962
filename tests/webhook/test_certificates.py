"""Which certificate is served, from when, and whether the API server trusts it."""

import asyncio
import base64
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from cryptography import x509
from prometheus_client import REGISTRY

from certs import plan
from certs.handshake import expiry
from certs.issue import CertificatePair, issue_serving, new_authority
from certs.keeper import CertificateKeeper, CertificateLocation, KeeperResult
from shared import kinds
from shared.kinds import Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from tests.webhook.make import flow, known
from tests.webhook.server.serving import AUTHORITY, NOW, PAIR, TlsClient, issued, trusting
from webhook.envelope.patch import applied
from webhook.server import certificate_sources
from webhook.server.certificate_sources import RegisteredBundles, TrustCheck, compare, keep_secret, watch_files
from webhook.server.handler import AdmissionHandler
from webhook.server.https import serving
from webhook.server.tls import BadCertificate, CertificateFiles, ServingCertificate


async def served(port: int) -> bytes:
    """The certificate that a new connection is shown."""

    def look() -> bytes:
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            trusting().wrap_socket(connection, server_hostname="localhost") as secured,
        ):
            return secured.getpeercert(True) or b""

    return await asyncio.to_thread(look)


def write(folder: Path, pair: CertificatePair) -> tuple[str, str]:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(pair.certificate)
    key.write_bytes(pair.key)
    return str(certificate), str(key)


@pytest.mark.parametrize(
    ("days", "accepted"), [(-1, True), (-3000, False), (3000, False)], ids=["valid", "expired", "later"]
)
def test_the_metric_tells_the_end_of_a_certificate_that_clients_accept_and_of_others(days: int, accepted: bool) -> None:
    issued_at = datetime.fromtimestamp(time.time(), UTC) + timedelta(days=days)
    pair = issue_serving(new_authority("test", issued_at), ("localhost",), issued_at)
    end = x509.load_pem_x509_certificate(pair.certificate).not_valid_after_utc
    certificate = ServingCertificate()
    certificate.use(pair.certificate, pair.key)
    assert expiry(certificate.context, pair.certificate) == (end if accepted else None)
    assert REGISTRY.get_sample_value("jobflow_webhook_certificate_expiry_timestamp_seconds") == end.timestamp()


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for is seen from outside only
            await asyncio.sleep(0.01)


async def test_a_changed_certificate_is_used_for_new_connections_only(tmp_path: Path) -> None:
    certificate = ServingCertificate()
    watcher = asyncio.create_task(watch_files(certificate, TrustCheck(), *write(tmp_path, PAIR), seconds=0.01))
    await until(lambda: certificate.loaded)
    connector = aiohttp.TCPConnector(ssl=trusting(), limit=1)
    async with (
        serving(AdmissionHandler(known()), "127.0.0.1", 0, certificate.context, grace=1.0) as port,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        client = TlsClient(session, port)
        assert await client.allowed(flow())
        first = await served(port)
        write(tmp_path, issued(2))
        async with asyncio.timeout(10):
            while await served(port) == first:
                assert await client.allowed(flow())
        assert await client.allowed(flow())
    watcher.cancel()


async def test_a_certificate_with_another_key_is_not_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificate = ServingCertificate()
    files = write(tmp_path, PAIR)
    watcher = asyncio.create_task(watch_files(certificate, TrustCheck(), *files, seconds=0.01))
    await until(lambda: certificate.loaded)
    async with serving(AdmissionHandler(known()), "127.0.0.1", 0, certificate.context, grace=1.0) as port:
        first = await served(port)
        Path(files[0]).write_bytes(issued(3).certificate)  # noqa: ASYNC240 - the key follows later
        await until(lambda: "certificate not usable" in caplog.text)
        assert await served(port) == first
    watcher.cancel()


@pytest.mark.parametrize("content", [b"", b"nonsense", PAIR.certificate], ids=["empty", "nonsense", "no key"])
def test_unusable_certificates_are_rejected(content: bytes) -> None:
    with pytest.raises(BadCertificate):
        ServingCertificate().use(content, b"")


def test_missing_certificate_files_are_reported() -> None:
    with pytest.raises(BadCertificate):
        CertificateFiles("/nowhere/tls.crt", "/nowhere/tls.key").read()


def test_the_same_pair_is_loaded_once() -> None:
    certificate = ServingCertificate()
    assert certificate.use(PAIR.certificate, PAIR.key)
    assert not certificate.use(PAIR.certificate, PAIR.key)


def test_old_tls_versions_are_refused() -> None:
    assert ServingCertificate().context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_certificate_of_another_ca_than_the_api_server_trusts_is_not_ready(tmp_path: Path) -> None:
    certificate, trust = ServingCertificate(), TrustCheck("not looked at yet")
    bundle = tmp_path / "ca.crt"
    bundle.write_bytes(new_authority("other", NOW).certificate)
    files = write(tmp_path, PAIR)
    watcher = asyncio.create_task(watch_files(certificate, trust, *files, str(bundle), seconds=0.01))
    await until(lambda: trust() == f"not signed by a CA of {bundle}")
    bundle.write_bytes(AUTHORITY.certificate + bundle.read_bytes())
    await until(lambda: trust() == "")
    watcher.cancel()


async def test_an_injected_bundle_must_trust_the_served_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chain, name and date, as the API server sees them."""
    monkeypatch.setattr(certificate_sources, "RETRY_SECONDS", 0.01)
    today = datetime.now(UTC)  # noqa: TID251 - OpenSSL looks at the clock of the machine
    authority = new_authority("theirs", today)
    pair = issue_serving(authority, ("w.n.svc",), today)
    certificate, trust, api = ServingCertificate(), TrustCheck("not looked at yet"), Secrets()
    registered = RegisteredBundles(cast(Api, api), ("jobflow",))
    task = asyncio.create_task(compare(certificate, trust, registered, "w.n.svc", 0.01))
    certificate.use(pair.certificate, pair.key)
    await until(lambda: "webhook configuration not found" in trust())
    for bundle, wanted in (
        (new_authority("other", today).certificate, "unable to get local issuer certificate"),
        (b"", "unable to get local issuer certificate"),
        (new_authority("other", today).certificate + authority.certificate, ""),
        (b"nonsense", "no start line"),
        (authority.certificate, ""),
    ):
        api.configuration = {"webhooks": [{"clientConfig": {"caBundle": base64.b64encode(bundle).decode()}}]}
        await until(lambda wanted=wanted: wanted in trust() and bool(wanted) == bool(trust()))
    late = issue_serving(authority, ("w.n.svc",), today - timedelta(days=400))
    elsewhere = issue_serving(authority, ("w.elsewhere.svc",), today)
    for other, wanted in ((late, "expired"), (elsewhere, "not valid for 'w.n.svc'"), (pair, "")):
        certificate.use(other.certificate, other.key)
        await until(lambda wanted=wanted: wanted in trust() and bool(wanted) == bool(trust()))
    task.cancel()


class Secrets:
    """Stands in for shared.kube.client.api.Api: one Secret, and configurations that either hold the bundle or are missing."""

    def __init__(self) -> None:
        self.secret: Body | None = None
        self.configuration: Body | None = None

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        found = self.secret if kind == kinds.SECRET else self.configuration
        if found is None:
            raise NotFound(name)
        return found

    async def create(self, kind: Kind, body: Body) -> Body:
        self.secret = body
        return body

    async def patch(self, kind: Kind, namespace: str, name: str, change: Any) -> Body:
        assert self.configuration is not None
        self.configuration = applied(self.configuration, change)
        return self.configuration


async def test_a_certificate_of_our_own_is_served_and_ready_once_it_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_sources, "RETRY_SECONDS", 0.01)
    certificate, trust, api = ServingCertificate(), TrustCheck("not looked at yet"), Secrets()
    place = CertificateLocation(namespace="n", secret="s", names=("w.n.svc",), configurations=("jobflow",))
    keeper = CertificateKeeper(cast(Api, api), place, lambda: NOW)
    task = asyncio.create_task(keep_secret(certificate, trust, keeper))
    await until(lambda: certificate.loaded)
    assert trust() == "the webhook configurations do not contain its CA"
    hook = {"name": "a", "clientConfig": {"service": {"name": "w", "namespace": "n"}}}
    api.configuration = {"metadata": {"resourceVersion": "1"}, "webhooks": [hook]}
    await until(lambda: trust() == "")
    assert api.configuration["webhooks"][0]["clientConfig"]["caBundle"]
    task.cancel()


class FailingKeeper:
    """Returns certificates issued so many days ago once; then the Secret cannot be read."""

    def __init__(self, days: float) -> None:
        issued_at = datetime.fromtimestamp(time.time(), UTC) - timedelta(days=days)
        self._found = [plan.apply_step(plan.RotationStep.ISSUE_ALL, None, ("localhost",), issued_at)]
        self.failures = 0

    async def look(self) -> KeeperResult:
        if self._found:
            return KeeperResult(self._found.pop(), True, timedelta(seconds=0))
        self.failures += 1
        raise Forbidden("secrets is forbidden")


@pytest.mark.parametrize(("days", "wanted"), [(364, ""), (366, "certificate has expired) and not replaced: secrets")])
async def test_a_webhook_whose_secret_cannot_be_kept_is_ready_until_its_certificate_expires(
    monkeypatch: pytest.MonkeyPatch, days: float, wanted: str
) -> None:
    monkeypatch.setattr(certificate_sources, "RETRY_SECONDS", 0.01)
    trust, keeper = TrustCheck("not looked at yet"), FailingKeeper(days)
    task = asyncio.create_task(keep_secret(ServingCertificate(), trust, cast(CertificateKeeper, keeper), 0.01))
    await until(lambda: keeper.failures > 2)
    task.cancel()
    assert wanted in trust.reason
    assert bool(wanted) is bool(trust.reason)


async def test_a_webhook_whose_secret_cannot_be_kept_is_ready_again_once_its_certificate_is_valid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was issued by a process whose clock was ahead."""
    faults = ["certificate is not yet valid"]
    monkeypatch.setattr(certificate_sources, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(certificate_sources, "trust_error", lambda *given: faults[0] if faults else "")
    trust, keeper = TrustCheck(), FailingKeeper(0)
    task = asyncio.create_task(keep_secret(ServingCertificate(), trust, cast(CertificateKeeper, keeper), 0.01))
    await until(lambda: "not yet valid" in trust.reason)
    faults.clear()
    seen = keeper.failures
    await until(lambda: keeper.failures > seen + 1)
    task.cancel()
    assert trust.reason == ""
