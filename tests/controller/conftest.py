from collections.abc import AsyncIterator

import pytest

from controller.context import ControllerContext
from tests.controller.support import SetClock, context_on
from tests.shared.kube.fake import FakeServer, serving


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def context(fake: FakeServer, clock: SetClock) -> AsyncIterator[ControllerContext]:
    async with serving(fake) as (_, api):
        yield context_on(api, clock)
