"""The buttons: what they create, who may use them, and from which origins."""

import json

import pytest

from shared.kinds import COMMAND, CRONJOBFLOW, JOBFLOW, QUEUE
from shared.kube.client.errors import NotFound
from shared.model.types import Body
from tests.web.make import a_flow, a_status
from tests.web.site import PlainBrowser, SmallCluster, browser, in_cluster, laptop
from web.views.buttons import BUTTONS

READ = {"apiGroups": ["flow.volcano.sh"], "resources": ["jobflows"], "verbs": ["get", "list", "watch"]}


@pytest.fixture
async def running(cluster: SmallCluster) -> Body:
    flow = a_flow("nightly", {"a": (), "b": ("a",)}, params=[{"name": "day", "value": "monday"}])
    return await cluster.create(
        JOBFLOW, flow, a_status("Running", {"a": {"phase": "Failed", "attempts": 2}, "b": "Waiting"})
    )


async def commands(cluster: SmallCluster) -> list[tuple[str, str]]:
    return [(each["action"], each["target"]["name"]) async for each in cluster.api.list(COMMAND)]


@pytest.mark.parametrize(
    ("button", "action"),
    [
        ("suspend", "SuspendJobFlow"),
        ("resume", "ResumeJobFlow"),
        ("retry", "RetryJobFlow"),
        ("stop", "TerminateJobFlow"),
        ("restart", "RestartJobFlow"),
    ],
)
async def test_a_button_makes_the_command_of_the_command_line(
    cluster: SmallCluster, site: PlainBrowser, running: Body, button: str, action: str
) -> None:
    await site.get("/flows/default/nightly")
    answer = await site.post(f"/act/jobflows/default/nightly/{button}", {"back": "/flows/default/nightly?tab=steps"})
    assert answer.status == 200
    assert answer.url.path == "/flows/default/nightly"
    assert f"nightly {BUTTONS['jobflows'][1][button].done}" in answer.words
    assert await commands(cluster) == [(action, "nightly")]


async def test_buttons_that_would_do_nothing_are_not_shown(site: PlainBrowser, running: Body) -> None:
    page = await site.get("/flows/default/nightly")
    assert "Retry failed steps" in page.words
    assert "Stop" in page.words
    assert "Resume" not in page.words


async def test_a_flow_is_deleted_by_its_uid(cluster: SmallCluster, site: PlainBrowser, running: Body) -> None:
    await site.get("/flows")
    answer = await site.post("/act/jobflows/default/nightly/delete", {"back": "/flows"})
    assert "nightly is being deleted" in answer.words
    with pytest.raises(NotFound):
        await cluster.api.get(JOBFLOW, "default", "nightly")


async def test_a_flow_runs_again_with_other_params(cluster: SmallCluster, site: PlainBrowser, running: Body) -> None:
    await site.get("/flows/default/nightly")
    form = {"param.day": "$(rm -rf /) <b>", "param.other": "x", "name": "again"}
    answer = await site.post("/flows/default/nightly/run-again", form)
    assert answer.url.path == "/flows/default/again"
    made = await cluster.api.get(JOBFLOW, "default", "again")
    assert made["spec"]["params"] == [{"name": "day", "value": "$(rm -rf /) <b>"}]
    assert "&lt;b&gt;" in answer.text


async def test_one_step_is_tried_again_alone_or_with_those_after_it(
    cluster: SmallCluster, site: PlainBrowser, running: Body
) -> None:
    await site.get("/flows/default/nightly")
    await site.post("/flows/default/nightly/steps/a/retry", {"back": "/flows"})
    await site.post("/flows/default/nightly/steps/a/retry", {"back": "/flows", "after": "1"})
    said = [json.loads(each["message"]) async for each in cluster.api.list(COMMAND)]
    assert sorted(said, key=sorted) == [{"attempt": 2, "from": "a"}, {"attempt": 2, "step": "a"}]


async def test_several_flows_at_once_and_what_came_of_each(
    cluster: SmallCluster, site: PlainBrowser, running: Body
) -> None:
    await site.get("/flows")
    form = {"button": "stop", "flow": "default/nightly", "sure": "1"}
    answer = await site.post("/flows", form)
    assert "nightly default is being stopped" in answer.words
    missing = await site.post("/flows", {**form, "flow": "default/none"})
    assert '"none" not found' in missing.words
    assert (await site.post("/flows", {"button": "explode", "flow": "default/nightly"})).status == 400
    assert await commands(cluster) == [("TerminateJobFlow", "nightly")]


async def test_what_loses_the_work_of_several_flows_is_shown_first_and_done_when_it_is_meant(
    cluster: SmallCluster, site: PlainBrowser, running: Body
) -> None:
    await cluster.create(JOBFLOW, a_flow("over", {"a": ()}), a_status("Succeed", {"a": "Completed"}))
    await site.get("/flows")
    form: list[tuple[str, str]] = [("csrf", site.csrf), ("button", "stop")]
    form += [("flow", "default/nightly"), ("flow", "default/over"), ("flow", "default/none")]
    async with site.http.post(f"{site.base}/flows", data=form, headers={"Origin": site.base}) as response:
        text = await response.text()
    assert "Stop 1 flow?" in text
    assert "Nothing: it has ended: Succeed." in text
    assert await commands(cluster) == []
    again = {"button": "stop", "sure": "1", "flow": f"default/nightly/{running['metadata']['uid']}"}
    assert f'value="{again["flow"]}"' in text
    replaced = await site.post("/flows", {**again, "flow": "default/nightly/of-an-earlier-flow"})
    assert "it has been replaced" in replaced.words
    assert await commands(cluster) == []
    await site.post("/flows", again)
    assert await commands(cluster) == [("TerminateJobFlow", "nightly")]


async def test_what_loses_no_work_is_done_at_once(cluster: SmallCluster, site: PlainBrowser, running: Body) -> None:
    await site.get("/flows")
    await site.post("/flows", {"button": "suspend", "flow": "default/nightly"})
    assert await commands(cluster) == [("SuspendJobFlow", "nightly")]


async def test_queues_and_schedules_have_buttons_too(cluster: SmallCluster, site: PlainBrowser) -> None:
    await cluster.create(QUEUE, {"metadata": {"name": "q"}, "spec": {}}, {"state": "Open"})
    spec = {"schedules": ["0 2 * * *"], "flowTemplate": {"spec": {"flows": [{"name": "a"}]}}}
    await cluster.create(CRONJOBFLOW, {"metadata": {"name": "c", "namespace": "default"}, "spec": spec})
    await site.get("/flows")
    assert (await site.post("/act/queues/-/q/close", {"back": "/flows"})).status == 200
    assert await commands(cluster) == [("CloseQueue", "q")]
    assert (await site.post("/act/cronjobflows/default/c/suspend", {"back": "/flows"})).status == 200
    assert (await cluster.api.get(CRONJOBFLOW, "default", "c"))["spec"]["suspend"] is True


@pytest.mark.parametrize(
    ("headers", "form", "words"),
    [
        ({"Origin": "https://evil.example"}, {}, "sent from another site"),
        ({"Origin": "null"}, {}, "sent from another site"),
        ({"Origin": ""}, {}, "sent from another site"),
        ({}, {"csrf": "guessed"}, "earlier sign-in"),
        ({}, {"csrf": ""}, "earlier sign-in"),
    ],
)
async def test_a_form_that_our_page_did_not_send_does_nothing(
    cluster: SmallCluster,
    site: PlainBrowser,
    running: Body,
    headers: dict[str, str],
    form: dict[str, str],
    words: str,
) -> None:
    await site.get("/flows/default/nightly")
    answer = await site.post("/act/jobflows/default/nightly/delete", form, **headers)
    assert answer.status == 403
    assert words in answer.words
    assert (await cluster.api.get(JOBFLOW, "default", "nightly"))["metadata"]["name"] == "nightly"


async def test_who_may_only_read_is_told_which_right_is_missing(cluster: SmallCluster, running: Body) -> None:
    cluster.server.core.options.rbac = True
    await cluster.allow("ann", READ)
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("ann"), "/flows/default/nightly")
        answer = await found.post("/act/jobflows/default/nightly/stop", {"back": "/flows"})
        assert answer.status == 403
        assert "ann may not create commands.bus.volcano.sh in namespace default" in answer.words


async def test_a_page_of_an_earlier_user_cannot_act_for_the_next_one(cluster: SmallCluster, running: Body) -> None:
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("ann", "system:masters"))
        page = await found.get("/flows/default/nightly")
        of_ann = page.csrf
        await found.sign_in(cluster.token("bob", "system:masters"))
        await found.get("/flows")
        answer = await found.post("/act/jobflows/default/nightly/stop", {"csrf": of_ann})
        assert answer.status == 403
        assert await commands(cluster) == []


async def test_a_server_that_only_reads_has_no_buttons_and_refuses_forms(cluster: SmallCluster, running: Body) -> None:
    async with laptop(cluster, namespace="default", read_only=True) as site:
        page = await site.get("/flows/default/nightly")
        assert "Stop" not in page.words
        assert (await site.post("/act/jobflows/default/nightly/stop")).status == 403
        assert (await site.post("/flows/default/nightly/run-again")).status == 403
        assert (await site.post("/flows", {"button": "stop"})).status == 403
        assert await commands(cluster) == []


async def test_an_address_cannot_put_words_on_a_page(site: PlainBrowser) -> None:
    page = await site.get("/flows?did=jobflows.stop&of=your%20account%20was%20hacked")
    assert "hacked" not in page.words
    assert "is being stopped" not in page.words
