"""The graph of a flow in a real browser."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.browser.people import Person
from tests.drawing.make import lanes, random_flow
from tests.web.make import a_flow, a_status
from tests.web.site import SmallCluster

CHAIN = {"fetch": (), "train": ("fetch",), "report": ("train",)}


def named(name: str, body: Body) -> Body:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": body["spec"]}


def box(page: Page, step: str) -> Locator:
    return page.locator(f'#graph [data-key="{step}"]')


async def test_boxes_change_their_state_while_size_and_place_stay(ann: Person, stored: SmallCluster) -> None:
    body = a_flow("moving", CHAIN)
    await stored.create(JOBFLOW, body, a_status("Running", {"fetch": "Running"}))
    page = await ann.open("/flows/default/moving")
    await expect(box(page, "fetch")).to_have_class("step running")
    await page.get_by_role("button", name="Larger").click()
    before = await box(page, "train").bounding_box()
    await page.evaluate("() => { document.querySelector('#graph svg').marked = true; }")
    await stored.status(
        JOBFLOW, body["metadata"]["name"], a_status("Running", {"fetch": "Completed", "train": "Failed"})
    )
    await expect(box(page, "fetch")).to_have_class("step completed")
    await expect(box(page, "train")).to_have_class("step failed")
    await expect(box(page, "train")).to_contain_text("✗ train")
    assert await box(page, "train").bounding_box() == before
    assert await page.evaluate("() => document.querySelector('#graph svg').marked"), "the picture was not replaced"


async def test_a_changed_spec_brings_a_new_picture(ann: Person, stored: SmallCluster) -> None:
    body = a_flow("growing", CHAIN)
    await stored.create(JOBFLOW, body, a_status("Running", {"fetch": "Running"}))
    page = await ann.open("/flows/default/growing")
    await box(page, "report").wait_for()
    flows = a_flow("growing", {**CHAIN, "tell": ("report",)})["spec"]["flows"]
    await stored.api.patch(JOBFLOW, "default", "growing", {"spec": {"flows": flows}})
    await box(page, "tell").wait_for()


async def test_a_click_opens_the_step_and_so_does_enter(ann: Person, stored: SmallCluster) -> None:
    await stored.create(JOBFLOW, a_flow("clicked", CHAIN), a_status("Running", {"fetch": "Running"}))
    page = await ann.open("/flows/default/clicked")
    await box(page, "train").click()
    await page.wait_for_url("**/flows/default/clicked/steps/train")
    await page.go_back()
    await page.locator("#graph a").nth(2).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/flows/default/clicked/steps/report")


@pytest.fixture(scope="module")
def large() -> Body:
    return named("large", random_flow(700))


async def test_a_large_flow_opens_with_bars_then_layers_then_a_neighbourhood(
    ann: Person, stored: SmallCluster, large: Body
) -> None:
    await stored.create(JOBFLOW, large, a_status("Running", {"s0": "Completed", "s1": "Failed", "s2": "Running"}))
    page = await ann.open("/flows/default/large")
    await expect(page.locator("#graph .bar").first).to_contain_text("layer 1")
    await page.locator("#graph .bar").nth(1).click()
    await page.wait_for_url("**layer=2")
    await box(page, "s1").wait_for()
    await page.get_by_label("Step", exact=True).fill("s60")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**around=s60**")
    await expect(box(page, "s60")).to_have_class(
        re.compile("step waiting centre")
    )  # a box that is searched for has one more
    await expect(page.locator("#graph-part")).to_contain_text("Around s60")
    await page.get_by_label("Step", exact=True).fill("no such step")
    await page.keyboard.press("Enter")
    await ann.sees("No step of this flow is called “no such step”").wait_for()
    await page.get_by_role("link", name="All 700 steps").click()
    await expect(page.locator("#graph [data-key]")).to_have_count(700)


async def test_steps_of_equal_shape_are_one_box_that_opens(ann: Person, stored: SmallCluster) -> None:
    await stored.create(JOBFLOW, named("lanes", lanes(200)), a_status("Running", {"split": "Completed"}))
    page = await ann.open("/flows/default/lanes")
    await expect(page.locator("#graph [data-key]")).to_have_count(4)
    await box(page, "prep-0 … prep-199").click()
    await expect(page.locator("#graph-part")).to_contain_text("200 of 200 steps")


async def test_size_search_and_following_what_runs(ann: Person, stored: SmallCluster) -> None:
    steps = {f"s{number}": (f"s{number - 1}",) if number else () for number in range(120)}
    body = a_flow("long", steps)
    await stored.create(JOBFLOW, body, a_status("Running", {"s0": "Running"}))
    page = await ann.open("/flows/default/long")
    await page.get_by_role("button", name="100 %").click()
    size = await page.locator("#graph svg").get_attribute("width")
    await page.get_by_role("button", name="Smaller").click()
    assert float(await page.locator("#graph svg").get_attribute("width") or 0) < float(size or 0)
    await page.get_by_label("Follow what runs").check()
    await page.wait_for_url("**follow=1**")
    states = dict.fromkeys(list(steps)[:110], "Completed")
    await stored.status(JOBFLOW, body["metadata"]["name"], a_status("Running", {**states, "s110": "Running"}))
    await expect(box(page, "s110")).to_be_in_viewport()
    await page.get_by_label("Step", exact=True).fill("s55")
    await expect(box(page, "s55")).to_have_class("step completed found")
    await expect(box(page, "s55")).to_be_in_viewport()


async def test_the_timeline_marks_now_and_the_critical_path(ann: Person, stored: SmallCluster) -> None:
    steps = {
        "fetch": {"phase": "Completed", "startTime": "2026-11-28T08:00:00Z", "completionTime": "2026-11-28T08:01:00Z"},
        "train": {"phase": "Running", "startTime": "2026-11-28T08:01:00Z"},
    }
    await stored.create(JOBFLOW, a_flow("timed", CHAIN), a_status("Running", steps))
    page = await ann.open("/flows/default/timed?tab=timeline")
    for name in ("✓ ◆ fetch", "● ◆ train"):
        await page.locator("#timeline a", has_text=name).wait_for()
    await expect(page.locator("#timeline .now")).to_have_count(1)
