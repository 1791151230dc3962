"""A cluster for the tests of a module, and pages in front of it."""

from collections.abc import AsyncIterator

import pytest

from tests.web.site import PlainBrowser, SmallCluster, laptop, running_cluster


@pytest.fixture
async def cluster() -> AsyncIterator[SmallCluster]:
    async with running_cluster() as running:
        yield running


@pytest.fixture
async def site(cluster: SmallCluster) -> AsyncIterator[PlainBrowser]:
    """Signed in on a laptop, in the namespace default."""
    async with laptop(cluster, namespace="default") as browser:
        yield browser
