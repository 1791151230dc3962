"""Every page in light and dark, wide and narrow: no barriers, no sideways scrolling; pictures for people to look at."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from shared.kinds import EVENT, JOBFLOW
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.browser.people import NARROW, WIDE, Person
from tests.drawing.make import chain, lanes, random_flow
from tests.web.make import a_flow, a_status
from tests.web.site import SmallCluster

LONG = "a-step-whose-name-says-everything-that-it-does-with-all-of-the-data"
PHASES = ("Completed", "Failed", "Running", "Pending", "Retrying", "Suspended", "Skipped", "Terminated", "Waiting")


def every_kind_of_step() -> Body:
    """Switch, loop, probe, conditions, finally and a long name."""
    steps = [
        {"name": "fetch"},
        {
            "name": "grade",
            "dependsOn": {"targets": ["fetch"]},
            "switch": {"value": "params.p", "cases": [{"when": ["A"], "run": ["train"]}], "default": ["other"]},
        },
        {"name": "train"},
        {"name": "other"},
        {"name": LONG, "dependsOn": {"targets": ["train"], "condition": "Failed"}},
        {"name": "loop", "dependsOn": {"targets": ["train"]}, "for": {"range": {"start": 0, "end": 10}}},
        {"name": "serve", "daemon": True},
        {
            "name": "ask",
            "dependsOn": {"targets": ["serve"], "probe": {"tcpSocketList": [{"taskName": "w", "port": 1}]}},
        },
    ]
    return {
        "metadata": {"name": "every-kind", "namespace": "default"},
        "spec": {"flows": steps, "params": [{"name": "p", "value": "A"}], "finally": [{"name": "tell"}]},
    }


def half_way(body: Body) -> Body:
    """A status in which the first part has ended, some steps are in each phase, and the rest waits."""
    names = [step["name"] for step in body["spec"]["flows"]]
    now = time.time()
    steps: dict[str, Mapping[str, Any]] = {}
    for place, name in enumerate(names[: max(len(names) * 2 // 5, len(PHASES))]):
        phase = PHASES[place] if place < len(PHASES) else "Failed" if place % 41 == 7 else "Completed"
        times = {"startTime": rfc3339(now - 900 + place), "completionTime": rfc3339(now - 500 + place)}
        if phase in ("Running", "Pending", "Retrying", "Suspended"):
            times.pop("completionTime")
        reason = {"reason": "JobFailed", "message": "container main exited with 3: no space left"}
        steps[name] = {"phase": phase, **({} if phase == "Waiting" else times), **(reason if phase == "Failed" else {})}
    waits = [{"name": names[-1], "waitingFor": ["step fetch to complete (Running)"]}]
    start = {"startTime": rfc3339(now - 900), "next": waits, "progress": f"{len(steps)}/{len(names)}"}
    return {**a_status("Running", steps), **start}


FLOWS: Mapping[str, Body] = {
    "every-kind": every_kind_of_step(),
    "fifty": random_flow(50),
    "five-hundred": random_flow(500),
    "lanes": lanes(300),
    "chain": chain(120),
}
PAGES: Mapping[str, str] = {
    "flows": "/flows",
    "flows-empty": "/flows?namespace=nothing-here",
    "graph": "/flows/default/every-kind?tab=graph",
    "graph-around": "/flows/default/five-hundred?tab=graph&around=s20",
    "timeline": "/flows/default/every-kind?tab=timeline",
    "timeline-not-started": "/flows/default/waiting?tab=timeline",
    "steps": "/flows/default/every-kind?tab=steps",
    "events": "/flows/default/every-kind?tab=events",
    "yaml": "/flows/default/every-kind?tab=yaml",
    "next": "/flows/default/every-kind?tab=next",
    "outputs": "/flows/default/every-kind?tab=outputs",
    "step": "/flows/default/every-kind/steps/train",
    "jobs": "/jobs",
    "queues": "/queues",
    "templates": "/templates",
    "policies": "/policies",
    "schedules": "/schedules",
    "check": "/check",
}
SIZES: Mapping[str, str] = {
    **{f"graph-{name}": f"/flows/default/{name}?tab=graph" for name in FLOWS},
    "graph-layer": "/flows/default/five-hundred?tab=graph&layer=6",
    "graph-whole": "/flows/default/five-hundred?tab=graph&show=whole",
    "steps-five-hundred": "/flows/default/five-hundred?tab=steps",
    "timeline-five-hundred": "/flows/default/five-hundred?tab=timeline",
    "suspended": "/flows/default/suspended?tab=graph",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(stored: SmallCluster) -> None:
    await fill(stored)


async def fill(stored: SmallCluster) -> None:
    for name, body in FLOWS.items():
        placed = {"metadata": {"name": name, "namespace": "default"}, "spec": body["spec"]}
        await stored.create(JOBFLOW, placed, half_way(placed))
    await stored.create(JOBFLOW, a_flow("waiting", {"a": (), "b": ("a",)}))
    suspended = a_flow("suspended", {"a": (), "b": ("a",)}, suspend=True)
    await stored.create(JOBFLOW, suspended, a_status("Suspended", {"a": "Suspended"}))
    about = {"kind": "JobFlow", "name": "every-kind", "namespace": "default"}
    event = {"metadata": {"name": "e", "namespace": "default"}, "involvedObject": about, "type": "Warning"}
    await stored.create(EVENT, {**event, "reason": "StepFailed", "message": "step other failed", "count": 3})


@pytest.mark.timeout(240)
async def test_every_page_has_no_barriers_and_fits(ann: Person, filled: None) -> None:
    faults = await look_at(ann, PAGES)
    assert faults == {}, faults


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_flows_of_every_size_and_state_have_no_barriers_and_fit(ann: Person, filled: None) -> None:
    assert await look_at(ann, SIZES) == {}


async def look_at(ann: Person, pages: Mapping[str, str]) -> Mapping[tuple[str, str], list[str]]:
    """The faults by page and how it was looked at."""
    found = {}
    for name, path in pages.items():
        page = await ann.open(path)
        await page.locator("main h1").first.wait_for()
        found[name, "light"] = await ann.violations()
        await ann.keeps(f"{name}-light")
        await page.set_viewport_size(NARROW)
        await page.emulate_media(color_scheme="dark")
        found[name, "dark and narrow"] = await ann.violations("color-contrast", "scrollable-region-focusable")
        if (wide := await page.evaluate("() => document.documentElement.scrollWidth")) > NARROW["width"]:
            found[name, "too wide"] = [f"{wide} pixels"]
        await ann.keeps(f"{name}-dark-narrow")
        await page.set_viewport_size(WIDE)
        await page.emulate_media(color_scheme="light")
    return {place: faults for place, faults in found.items() if faults}


async def test_everything_can_be_reached_by_keyboard(ann: Person, stored: SmallCluster) -> None:
    await stored.create(JOBFLOW, a_flow("typed", {"a": (), "b": ("a",)}), a_status("Running", {"a": "Running"}))
    page = await ann.open("/flows/default/typed?tab=graph")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    seen = set()
    for _ in range(60):
        await page.keyboard.press("Tab")
        seen.add(await page.evaluate("() => document.activeElement.textContent.trim() || document.activeElement.id"))
    assert {"Graph", "Timeline", "Steps", "Fit"} <= seen
    assert any("a" in text and "running" in text for text in seen), "the boxes of the graph"
