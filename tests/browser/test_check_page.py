"""The page Check in a real browser, without a cluster."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.people import NARROW, Person, person
from web.laptop import on_laptop

FIRST = (Path(__file__).parents[2] / "examples/first/flow.yaml").read_text()
WRONG = FIRST.replace("dependsOn", "dependOn", 1)


@pytest_asyncio.fixture(loop_scope="module")
async def writer(chromium: Browser) -> AsyncIterator[Person]:
    async with on_laptop(None) as url, person(chromium, url) as found:
        yield found


async def test_the_verdict_follows_the_text(writer: Person) -> None:
    page = writer.page
    text = page.get_by_label("Manifests")
    await text.fill(WRONG)
    await expect(page.locator(".verdict")).to_have_text("✗ 1 error")
    await page.get_by_role("link", name="line 45").click()
    selected = await page.evaluate("() => getSelection().toString()")
    assert selected.strip() == "dependOn: {targets: [fetch]}"
    await page.keyboard.type("      dependsOn: {targets: [fetch]}")
    await expect(page.locator(".verdict")).to_have_text("✓ This would be accepted")
    assert await text.input_value() == FIRST, "what was written stays"
    await page.locator("summary", has_text="first-work-1").click()
    await expect(page.locator("details[open] pre")).to_contain_text("south")
    await text.fill("")
    await writer.sees("Nothing to check yet").wait_for()


async def test_dropped_files_are_checked_together(writer: Person) -> None:
    page = writer.page
    await page.locator("#check-files").set_input_files(
        [
            {"name": "one.yaml", "mimeType": "text/yaml", "buffer": FIRST.encode()},
            {"name": "two.yaml", "mimeType": "text/yaml", "buffer": WRONG.replace("name: first", "name: two").encode()},
        ]
    )
    await expect(page.locator(".verdict")).to_contain_text("✗ 1 error")
    await expect(page.locator(".findings")).to_contain_text("JobFlow two")


async def test_the_page_has_no_barriers_and_its_pictures_are_kept(writer: Person) -> None:
    page = writer.page
    await page.get_by_label("Manifests").fill(WRONG)
    await page.locator(".verdict").wait_for()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await writer.violations() == []
        await writer.keeps(f"check-{scheme}")
    await page.set_viewport_size(NARROW)
    await writer.keeps("check-narrow")
