"""Signing in, rights, several tabs and a server that restarts, in a real browser."""

import asyncio

from playwright.async_api import Browser, expect

from shared.kinds import JOBFLOW
from tests.browser.line import LineTo
from tests.browser.people import Person, person
from tests.web.make import a_flow, a_status
from tests.web.site import SmallCluster, in_cluster, with_all_rights
from web.laptop import on_laptop

READ = {"apiGroups": ["flow.volcano.sh"], "resources": ["jobflows"], "verbs": ["get", "list", "watch"]}


async def test_a_token_opens_the_page_that_was_asked_for(chromium: Browser, stored: SmallCluster) -> None:
    await stored.create(JOBFLOW, a_flow("asked", {"a": ()}), a_status("Running", {"a": "Running"}))
    token = stored.token("root", "system:masters")
    async with in_cluster(stored) as base, person(chromium, base) as ann:
        await ann.open("/flows/default/asked?tab=yaml")
        await ann.page.wait_for_url("**/signin?next=**")
        ann.expected = ["401"]
        await ann.page.get_by_label("Token").fill("no token")
        await ann.page.keyboard.press("Enter")
        await ann.page.get_by_role("alert").or_(ann.page.locator(".fault")).first.wait_for()
        await ann.page.get_by_label("Token").fill(token)
        await ann.page.keyboard.press("Enter")
        await ann.page.wait_for_url("**/flows/default/asked?tab=yaml")
        await expect(ann.page.locator("#yaml")).to_contain_text("kind: JobFlow")
        assert token not in await ann.page.content()


async def test_a_link_shows_someone_else_what_its_sender_saw(chromium: Browser, stored: SmallCluster) -> None:
    steps = {f"s{number}": () for number in range(400)}
    await stored.create(JOBFLOW, a_flow("sent", steps), a_status("Failed", {"s7": "Failed"}))
    token = stored.token("root", "system:masters")
    async with in_cluster(stored) as base, person(chromium, base) as sender, person(chromium, base) as reader:
        await sign_in(sender, token)
        await sender.open("/flows/default/sent?tab=graph")
        await sender.page.get_by_label("Step", exact=True).fill("s7")
        await sender.page.get_by_role("button", name="Show around").click()
        await sender.page.locator("#graph .centre").wait_for()
        await sign_in(reader, token)
        await reader.page.goto(sender.page.url)
        await expect(reader.page.locator("#graph .centre")).to_have_attribute("data-key", "s7")
        await expect(reader.page.locator("#graph-part")).to_have_text(
            await sender.page.locator("#graph-part").inner_text()
        )


async def sign_in(who: Person, token: str) -> None:
    await who.page.get_by_label("Token").fill(token)
    await who.page.keyboard.press("Enter")
    await who.page.wait_for_url("**/flows**")


async def test_a_missing_right_is_named(chromium: Browser, stored: SmallCluster) -> None:
    stored.server.core.options.rbac = True
    try:
        await stored.allow("bob", READ)
        async with in_cluster(stored, namespace="default") as base, person(chromium, base) as bob:
            await sign_in(bob, stored.token("bob"))
            bob.expected = ["403"]
            await bob.open("/flows?namespace=elsewhere")
            await bob.sees("bob may not list jobflows.flow.volcano.sh in namespace elsewhere").wait_for()
            assert await bob.violations() == []
            await bob.keeps("forbidden")
    finally:
        stored.server.core.options.rbac = False


async def test_nine_tabs_stay_live(ann: Person, stored: SmallCluster) -> None:
    """Browsers open six connections to a host: a stream for each tab would block the seventh."""
    body = a_flow("watched", {"a": ()})
    await stored.create(JOBFLOW, body, a_status("Running", {"a": "Running"}))
    tabs = [ann.page]
    for _ in range(8):
        tabs.append(await ann.tab())
    for tab in tabs:
        await tab.goto(f"{ann.base}/flows/default/watched?tab=steps")
        await expect(tab.locator("#live")).to_have_text("live")
    await stored.status(JOBFLOW, "watched", a_status("Succeed", {"a": "Completed"}))
    await asyncio.gather(*(expect(tab.locator("#tab")).to_contain_text("Completed") for tab in tabs))


async def test_a_lost_server_is_told_and_its_return_brings_the_newest_state(
    chromium: Browser, stored: SmallCluster
) -> None:
    await stored.create(JOBFLOW, a_flow("lost", {"a": ()}), a_status("Running", {"a": "Running"}))
    async with (
        on_laptop(with_all_rights(stored.server), namespace="default") as url,
        LineTo(url) as line,
        person(chromium, line.url) as ann,
    ):
        await ann.open("/flows/default/lost?tab=steps")
        await expect(ann.page.locator("#live")).to_have_text("live")
        ann.expected = ["Failed to load resource", "ERR_"]
        await line.cut()
        await expect(ann.page.locator("#live")).to_contain_text("lost")
        await stored.status(JOBFLOW, "lost", a_status("Succeed", {"a": "Completed"}))
        await line.mend()
        await expect(ann.page.locator("#live")).to_have_text("live")
        await expect(ann.page.locator("#tab")).to_contain_text("Completed")
