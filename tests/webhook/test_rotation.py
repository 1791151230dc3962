"""Two replicas renew a certificate and replace the CA under load: no admission fails, and readiness is correct."""

import asyncio
import base64
import contextlib
import itertools
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from certs.keeper import CertificateKeeper, CertificateLocation
from certs.service_names import service_names
from local.apiserver import ApiServer
from shared.kinds import CRD, JOBFLOW, SECRET, VALIDATING
from shared.kube.client.api import Api
from shared.model.types import Body
from tests.local.apiserver_testing import HttpClient, client_of
from tests.webhook.make import flow
from webhook.server.certificate_sources import TrustCheck, keep_secret
from webhook.server.configurations import configurations
from webhook.server.handler import AdmissionHandler
from webhook.server.https import serving
from webhook.server.tls import ServingCertificate
from webhook.subject.lookups import InMemoryLookups

pytestmark = pytest.mark.e2e
CRDS = Path("helm/jobflow/files/crds")
NAMESPACE, SERVICE, SECRET_NAME, HOOKS = "default", "jobflow-webhook", "certs", "jobflow"
HOST = f"{SERVICE}.{NAMESPACE}.svc"
SETTLE = timedelta(seconds=4)
FLOWS = f"/apis/{JOBFLOW.api_version}/namespaces/{NAMESPACE}/jobflows?dryRun=All"
FLOW = flow()
FLOW["metadata"]["namespace"] = NAMESPACE
RATE = 50  # admissions a second


class Replica:
    """What one webhook process is made of, apart from its caches."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self.serving, self.trust = ServingCertificate(), TrustCheck("not looked at yet")
        self.port, self.behind = 0, timedelta(days=280)  # so what they issue soon ends

    def now(self) -> datetime:
        return datetime.now(UTC) - self.behind  # noqa: TID251 - certificates are checked by real clients

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Replica"]:
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(await client_of(self._server.kubeconfig))
            place = CertificateLocation(NAMESPACE, SECRET_NAME, service_names(SERVICE, NAMESPACE), (HOOKS,), SETTLE)
            self.keeper = CertificateKeeper(api, place, self.now)
            listening = serving(AdmissionHandler(InMemoryLookups()), "127.0.0.1", 0, self.serving.context, grace=1)
            self.port = await stack.enter_async_context(listening)
            work = asyncio.create_task(keep_secret(self.serving, self.trust, self.keeper, 0.25))
            try:
                yield self
            finally:
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with ApiServer.start(tmp_path) as running:
        yield running


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[Api]:
    async with await client_of(server.kubeconfig) as client:
        await client.create(CRD, yaml.safe_load((CRDS / "flow.volcano.sh_jobflows.yaml").read_text()))
        yield client


@pytest.fixture
async def pair(server: ApiServer, api: Api) -> AsyncIterator[list[Replica]]:
    """Started at once on an empty cluster; ready."""
    for kind, body in configurations(HOOKS, {"service": {"name": SERVICE, "namespace": NAMESPACE}}, b""):
        await api.create(kind, body)
    replicas = [Replica(server), Replica(server)]
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(replica.running()) for replica in replicas))
        await eventually(lambda: [replica.trust() for replica in replicas] == ["", ""])
        yield replicas


async def eventually(holds: Any, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what it waits for is in another process's hands
            await asyncio.sleep(0.05)


async def bundle(api: Api) -> bytes:
    """What the API server trusts."""
    hook = (await api.get(VALIDATING, "", HOOKS))["webhooks"][0]
    return base64.b64decode(hook["clientConfig"]["caBundle"])


class Load:
    """Admissions through the API server, by turns at each replica; and handshakes with what was trusted a while ago."""

    def __init__(self, server: ApiServer, api: Api, replicas: list[Replica]) -> None:
        self._server, self._api = server, api
        self._replicas: Iterator[Replica] = itertools.cycle(replicas)
        self.done, self.faults = 0, list[str]()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        self._client = HttpClient(self._server)
        try:
            async with asyncio.TaskGroup() as group:
                loads = [group.create_task(self._admissions()), group.create_task(self._handshakes())]
                yield self
                for load in loads:
                    load.cancel()
        finally:
            await self._client.close()

    async def _admissions(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                self._server.core.admission.client.services[f"{NAMESPACE}/{SERVICE}"] = (
                    f"127.0.0.1:{next(self._replicas).port}"
                )
                group.create_task(self._admit())
                await asyncio.sleep(1 / RATE)

    async def _admit(self) -> None:
        status, answer, _ = await self._client.send("POST", FLOWS, FLOW)
        if status == 201:
            self.done += 1
        else:
            self.faults.append(str(answer))

    async def _handshakes(self) -> None:
        while True:
            trusted = (await bundle(self._api)).decode()
            await asyncio.sleep(SETTLE.total_seconds() / 4)
            context = ssl.create_default_context(cadata=trusted)
            try:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", next(self._replicas).port, ssl=context, server_hostname=HOST
                )
                writer.close()
            except ssl.SSLError as error:
                self.faults.append(str(error))


async def test_replicas_that_start_together_share_one_ca(api: Api, pair: list[Replica]) -> None:
    stored = (await api.get(SECRET, NAMESPACE, SECRET_NAME))["data"]
    assert await bundle(api) == base64.b64decode(stored["ca.crt"])
    assert (await bundle(api)).count(b"BEGIN CERTIFICATE") == 1


async def test_no_admission_fails_during_renewal_and_ca_rotation(
    server: ApiServer, api: Api, pair: list[Replica]
) -> None:
    before = (await api.get(SECRET, NAMESPACE, SECRET_NAME))["data"]
    async with Load(server, api, pair).running() as load:
        await asyncio.sleep(0.5)
        for replica in pair:
            replica.behind = timedelta(0)  # and now it is 85 days until the end
        await eventually(lambda: _stored(server)["tls.crt"] != before["tls.crt"])
        renewed = _stored(server)
        assert renewed["ca.crt"] == before["ca.crt"]
        await pair[0].keeper.look(rotate=True)
        both = base64.b64decode(_stored(server)["ca.crt"])
        assert both.count(b"BEGIN CERTIFICATE") == 2
        await eventually(lambda: base64.b64decode(_stored(server)["ca.crt"]).count(b"BEGIN CERTIFICATE") == 1)
        await asyncio.sleep(0.5)
    after = _stored(server)
    assert after["ca.crt"] != before["ca.crt"]
    assert after["tls.crt"] != renewed["tls.crt"]
    assert load.faults == []
    assert load.done > 10, "too little was asked meanwhile to prove anything"
    await eventually(lambda: not any(replica.trust() for replica in pair))  # both may have put the CA in at one time


async def test_a_replica_that_is_not_trusted_is_not_ready(api: Api, pair: list[Replica]) -> None:
    """A deleted configuration trusts no CA; when it is created again, the CA is injected."""
    kept = await api.get(VALIDATING, "", HOOKS)
    await api.delete(VALIDATING, "", HOOKS)
    await eventually(lambda: all(replica.trust() for replica in pair))
    del kept["metadata"]["resourceVersion"], kept["metadata"]["uid"]
    kept["webhooks"][0]["clientConfig"]["caBundle"] = ""
    await api.create(VALIDATING, kept)
    await eventually(lambda: not any(replica.trust() for replica in pair))
    assert (await bundle(api)).count(b"BEGIN CERTIFICATE") == 1


def _stored(server: ApiServer) -> Body:
    entry = server.core.store.get(("", "secrets"), NAMESPACE, SECRET_NAME)
    assert entry is not None
    return dict(entry.obj["data"])
