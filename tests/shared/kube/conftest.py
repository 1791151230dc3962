from collections.abc import AsyncIterator

import pytest

from shared.kube.cache import reflector
from shared.kube.client import sender
from shared.kube.client.api import Api
from shared.kube.client.pooled.transport import PooledTransport
from shared.kube.client.transport import Transport
from tests.shared.kube.fake import FakeServer, serving


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "BACKOFF_BASE", 0.001)
    monkeypatch.setattr(reflector, "BACKOFF_BASE", 0.001)
    monkeypatch.setattr(reflector, "UNSERVED_SECONDS", 0.01)


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture(params=[PooledTransport, Transport])
async def api(fake: FakeServer, request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    async with serving(fake, request.param) as (_, api):
        yield api
