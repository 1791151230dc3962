"""A fake API server with JobTemplates, and a clock."""

from collections.abc import AsyncIterator

import pytest

from shared.kube.client.api import Api
from tests.controller.jobflow.reconciler.make import TEMPLATES, Clock, template
from tests.shared.kube.fake import FakeServer, serving


@pytest.fixture
def fake() -> FakeServer:
    fake = FakeServer()
    for name in ("a", "b", "c"):
        fake.put(TEMPLATES, template(name))
    return fake


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def api(fake: FakeServer) -> AsyncIterator[Api]:
    async with serving(fake) as (_, api):
        yield api
