from collections.abc import AsyncIterator

import pytest

from shared.kube.cache import reflector
from shared.kube.client import sender
from shared.kube.client.api import Api
from tests.shared.kube.fake import FakeServer, serving


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "BACKOFF_BASE", 0.001)
    monkeypatch.setattr(reflector, "BACKOFF_BASE", 0.001)
    monkeypatch.setattr(reflector, "UNSERVED_SECONDS", 0.01)


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def api(fake: FakeServer) -> AsyncIterator[Api]:
    async with serving(fake) as (_, api):
        yield api
