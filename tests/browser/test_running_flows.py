"""Flows that really run, shown and controlled from the page: on a local cluster whose pods run their commands."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
import yaml
from playwright.async_api import Browser, expect

from local.backends import chosen
from local.cluster import ClusterOptions, LocalCluster
from shared.kube.client import connect
from shared.model.types import Body
from tests.browser.people import Person, person
from tests.e2e.support.scenario import jobflow, template
from web.laptop import on_laptop

pytestmark = [pytest.mark.e2e]
NAMESPACE: Final = "people"
SEED: Final = Path(__file__).parents[2] / "examples/seed"


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    options = ClusterOptions(nodes=2, cpu="64", run_commands=True, controller_args=("--no-leader-elect",))
    with LocalCluster(backend, options) as running, running.namespace(NAMESPACE):
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def ann(chromium: Browser, cluster: LocalCluster) -> AsyncIterator[Person]:
    access = await connect.load(str(cluster.kubeconfig))
    async with on_laptop(access, namespace=NAMESPACE) as url, person(chromium, url) as found:
        yield found


def command(name: str, script: str) -> Body:
    """A JobTemplate whose pod runs a script."""
    made = template(NAMESPACE, name)
    made["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", script]
    return made


async def test_the_seeds_flow_is_followed_from_its_first_to_its_last_step(
    ann: Person, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Each step runs until it was seen running."""
    templates = [
        yaml.safe_load(text.replace("sleep 10s", f"until [ -e {tmp_path}/{step} ]; do sleep 0.2; done"))
        for step, text in zip("abcde", (SEED / "jobtemplates.yaml").read_text().split("\n---\n"), strict=True)
    ]
    assert [each["metadata"]["name"] for each in templates] == list("abcde")
    flow = yaml.safe_load((SEED / "jobflow.yaml").read_text())
    page = await ann.open("/flows")
    await ann.sees("No flows").wait_for()
    for body in (*templates, flow):
        body["metadata"]["namespace"] = NAMESPACE
        cluster.apply(body)
    await page.get_by_role("link", name="test", exact=True).click()
    for step in "abcde":
        await expect(page.locator(f'#graph [data-key="{step}"]')).to_have_class("step running")
        await ann.keeps(f"seed-{step}")
        (tmp_path / step).touch()
    await expect(page.locator("#graph .step.completed")).to_have_count(5)
    await expect(page.locator("#head .phase").first).to_contain_text("Succeed")
    await page.get_by_role("link", name="Timeline").click()
    await expect(page.locator("#timeline a")).to_have_count(5)
    await ann.keeps("seed-timeline")


async def test_logs_follow_and_the_flow_stops_from_the_page(ann: Person, cluster: LocalCluster) -> None:
    cluster.apply(command("talks", "for i in $(seq 500); do echo line $i; sleep 0.2; done"))
    cluster.apply(jobflow(NAMESPACE, "talking", {"talks": (), "after": ("talks",)}))
    page = await ann.open("/flows/people/talking?tab=graph")
    await expect(page.locator('#graph [data-key="talks"]')).to_have_class("step running")
    await page.locator('#graph [data-key="talks"]').click()
    await expect(page.locator("#logs")).to_contain_text("line 1")
    await expect(page.locator("#logs")).to_contain_text("line 9")
    await page.get_by_label("Search").fill("line 7")
    await expect(page.locator("#logs .log-line:not([hidden])").first).to_contain_text("line 7")
    await ann.keeps("logs")
    assert await ann.violations() == []
    await page.get_by_role("link", name="talking", exact=True).click()
    await page.get_by_role("button", name="Stop…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    await expect(page.locator("#head .phase").first).to_contain_text("Failed")
    await expect(page.locator('#graph [data-key="talks"]')).to_have_class("step terminated")


async def test_the_failed_item_is_found_with_its_words_then_mended_and_retried(
    ann: Person, cluster: LocalCluster, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    script = (
        f"echo looking at $(item); test $(item) != south || test -e {mended} || {{ echo no data for south; exit 3; }}"
    )
    cluster.apply(command("look", script))
    cluster.apply(jobflow(NAMESPACE, "looking", {"look": {"for": {"items": ["north", "south", "west"]}}}))
    page = await ann.open("/flows/people/looking?tab=graph")
    await expect(page.locator("#head .phase").first).to_contain_text("Failed")
    await page.locator('#graph [data-key="look"]').click()
    await expect(page.locator("#jobs tbody tr").first).to_contain_text("Failed")
    await expect(page.locator("#iterations")).to_contain_text("1 failed: 1 (south)")
    await expect(page.locator("#logs")).to_contain_text("no data for south")
    await ann.keeps("failed-item")
    mended.touch()
    await page.get_by_role("button", name="Retry this step").click()
    await expect(page.locator("#head .phase").first).to_contain_text("Completed")


async def test_a_flow_runs_again_for_another_day(ann: Person, cluster: LocalCluster) -> None:
    cluster.apply(command("report", "echo report of $(params.day)"))
    params = [{"name": "day", "value": "2026-01-01"}]
    cluster.apply(jobflow(NAMESPACE, "daily", {"report": ()}, params=params))
    page = await ann.open("/flows/people/daily")
    await page.get_by_role("button", name="Run again…").click()
    await page.get_by_label("day").fill("2026-01-02")
    await page.get_by_label("Name").fill("daily-2")
    await page.get_by_role("button", name="Run", exact=True).click()
    await page.wait_for_url("**/flows/people/daily-2**")
    await expect(page.locator(".params")).to_contain_text("2026-01-02")
    await expect(page.locator("#head .phase").first).to_contain_text("Succeed")
    await page.locator('#graph [data-key="report"]').click()
    await expect(page.locator("#logs")).to_contain_text("report of 2026-01-02")


async def test_the_page_says_why_a_step_waits(ann: Person, cluster: LocalCluster) -> None:
    huge = template(NAMESPACE, "huge")
    container = huge["spec"]["tasks"][0]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "1000"}}
    cluster.apply(huge)
    cluster.apply(jobflow(NAMESPACE, "stuck", {"huge": (), "later": ("huge",)}))
    page = await ann.open("/flows/people/stuck?tab=next")
    await expect(page.locator("#tab")).to_contain_text("cpu")
    await expect(page.locator("#tab")).to_contain_text("later")
    await ann.keeps("why-it-waits")
