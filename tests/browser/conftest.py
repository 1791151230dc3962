"""One browser for the tests of a module, which share its event loop. Without a browser nothing here is collected."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.people import SECONDS, Person, person
from tests.web.site import SmallCluster, running_cluster, with_all_rights
from web.laptop import on_laptop

expect.set_options(timeout=SECONDS * 1000)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return None if executable() else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests run in the event loop of the browser."""
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stored() -> AsyncIterator[SmallCluster]:
    """An API server without controllers: what the pages show is what the test has stored."""
    async with running_cluster() as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def ann(chromium: Browser, stored: SmallCluster) -> AsyncIterator[Person]:
    """Signed in, on a laptop, with all rights."""
    async with on_laptop(with_all_rights(stored.server), namespace="default") as url, person(chromium, url) as found:
        yield found
