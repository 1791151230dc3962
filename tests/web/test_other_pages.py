"""Queues, templates, policies, schedules and Jobs: what their pages show, and to whom they show nothing."""

from datetime import UTC, datetime

import pytest

from shared.kinds import CRONJOBFLOW, JOB, JOBFLOW, JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION, JOBTEMPLATE, PODGROUP, QUEUE
from shared.model.types import Body
from shared.names import CRON_NAME
from tests.web.make import a_flow, a_status
from tests.web.site import PlainBrowser, SmallCluster, browser, in_cluster
from web.views.queue_tree import queue_tree
from web.views.schedule_list import calendar, past_run, schedule_rows

TASK: Body = {"name": "t", "replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}}
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()


def queue(name: str, parent: str = "", **more: object) -> Body:
    return {"metadata": {"name": name}, "spec": {**({"parent": parent} if parent else {}), **more}}


def cron(name: str, *schedules: str, **more: object) -> Body:
    body = {"metadata": {"name": name, "namespace": "default", "creationTimestamp": "2026-11-01T00:00:00Z"}}
    return {**body, "spec": {"schedules": list(schedules), **more}}


def test_the_tree_of_queues_has_parents_before_children_and_bars_of_what_they_may_use() -> None:
    queues = [
        queue("z"),
        queue("child", "team", capability={"cpu": "4"}),
        queue("team", "root"),
        queue("root"),
        queue("lost", "nowhere"),
    ]
    queues[1]["status"] = {"allocated": {"cpu": "1"}}
    queues[2]["status"] = {"allocated": {"cpu": "10500m", "memory": "3Gi", "pods": "7"}}
    found = queue_tree(queues, [])
    assert [(node.name, node.depth) for node in found] == [
        ("root", 0),
        ("lost", 0),
        ("team", 0),
        ("child", 1),
        ("z", 0),
    ]
    bar = next(node for node in found if node.name == "child").bars[0]
    assert (bar.resource, bar.allocated, bar.capability, bar.share) == ("cpu", "1", "4", 250)
    team = next(node for node in found if node.name == "team")
    assert [(bar.resource, bar.allocated) for bar in team.bars] == [("cpu", "10.5"), ("memory", "3Gi")]


def test_queues_in_a_circle_are_shown_all_the_same() -> None:
    found = queue_tree([queue("a", "b"), queue("b", "a"), queue("c")], [])
    assert sorted(node.name for node in found) == ["a", "b", "c"]


def test_schedules_come_in_the_order_of_their_next_run() -> None:
    found = schedule_rows(
        [
            cron("late", "0 23 * * *"),
            cron("soon", "30 12 * * *"),
            cron("bad", "x y"),
            cron("off", "* * * * *", suspend=True),
        ],
        [],
        NOON,
    )
    assert [row.name for row in found] == ["soon", "late", "bad", "off"]
    assert found[0].next[0] == NOON + 1800
    assert found[2].fault
    assert found[3].suspended


def test_the_calendar_has_past_runs_and_times_to_come() -> None:
    run = {
        "metadata": {"name": "r", "creationTimestamp": "2026-11-27T02:00:00Z"},
        "status": {"state": {"phase": "Failed"}},
    }
    weeks = calendar(cron("c", "0 2 * * *"), [past_run(run)], NOON)
    days = {day.day: day for week in weeks for day in week}
    assert len(weeks) == 6
    assert [each.name for each in days["2026-11-27"].runs] == ["r"]
    assert days["2026-11-28"].today
    assert days["2026-11-28"].due == ()
    assert len(days["2026-11-29"].due) == 1


def test_a_schedule_of_every_minute_does_not_fill_the_calendar() -> None:
    weeks = calendar(cron("c", "* * * * *"), [], NOON)
    assert max(len(day.due) for week in weeks for day in week) == 48


async def test_the_page_of_queues_says_who_waits_and_why(cluster: SmallCluster, site: PlainBrowser) -> None:
    await cluster.create(QUEUE, queue("q", capability={"cpu": "4"}), {"state": "Open"})
    group = {"metadata": {"name": "g", "namespace": "default"}, "spec": {"queue": "q", "minMember": 1}}
    condition = {"type": "Unschedulable", "status": "True", "message": "too large"}
    status = {"phase": "Pending", "conditions": [{**condition, "transitionID": "1"}]}
    await cluster.create(PODGROUP, {**group, "status": status})
    page = await site.get("/queues")
    assert "1 waiting" in page.words
    assert "too large" in page.words


async def test_templates_tell_who_uses_them(cluster: SmallCluster, site: PlainBrowser) -> None:
    for name in ("used", "idle"):
        await cluster.create(
            JOBTEMPLATE, {"metadata": {"name": name, "namespace": "default"}, "spec": {"tasks": [TASK]}}
        )
    await cluster.create(JOBFLOW, a_flow("nightly", {"used": ()}))
    words = (await site.get("/templates")).words
    assert "used 1 × t nightly" in words
    assert "idle 1 × t nobody" in words


async def test_policies_show_their_violations_by_namespace(cluster: SmallCluster, site: PlainBrowser) -> None:
    broken = [
        {"kind": "JobFlow", "namespace": space, "name": f"of-{space}", "rule": "limits", "message": "too many"}
        for space in ("one", "two")
    ]
    spec = {"metadata": {"name": "p"}, "spec": {"limits": {"maxSteps": 1}}}
    await cluster.create(JOBFLOWPOLICY, spec, {"violations": 2, "lastViolations": broken})
    assert "2 violations" in (await site.get("/policies")).words
    filtered = (await site.get("/policies?namespace=two")).words
    assert "of-two" in filtered
    assert "of-one" not in filtered


async def test_the_page_of_a_schedule_links_its_runs(cluster: SmallCluster, site: PlainBrowser) -> None:
    body = {"metadata": {"name": "c", "namespace": "default"}, "spec": cron("c", "0 2 * * *")["spec"]}
    body["spec"]["jobFlowTemplate"] = {"spec": a_flow("x", {"a": ()})["spec"]}
    await cluster.create(CRONJOBFLOW, body)
    run = a_flow("c-1", {"a": ()})
    run["metadata"]["labels"] = {CRON_NAME: "c"}
    await cluster.create(JOBFLOW, run, a_status("Succeed", {"a": "Completed"}))
    assert "0 2 * * *" in (await site.get("/schedules")).words
    page = await site.get("/schedules/cronjobflows/default/c")
    assert 'href="/flows/default/c-1"' in page.text


async def test_the_list_of_jobs_is_filtered(cluster: SmallCluster, site: PlainBrowser) -> None:
    for name, phase in (("one", "Running"), ("two", "Failed")):
        job = {"metadata": {"name": name, "namespace": "default"}, "spec": {"tasks": [TASK], "queue": "q"}}
        await cluster.create(JOB, job, {"state": {"phase": phase}})
    assert "two" not in (await site.get("/jobs?phase=Running")).words.partition("Age")[2]
    assert "two" in (await site.get("/jobs?name=TW")).words.partition("Age")[2]


@pytest.mark.parametrize("path", ["/flows", "/jobs", "/queues", "/templates", "/policies", "/schedules"])
async def test_an_empty_cluster_says_what_to_do_next(site: PlainBrowser, path: str) -> None:
    page = await site.get(path)
    assert page.status == 200
    assert 'class="empty"' in page.text


@pytest.mark.parametrize("path", ["/flows", "/jobs", "/queues", "/templates", "/policies", "/schedules"])
async def test_without_rights_every_page_names_the_missing_one(cluster: SmallCluster, path: str) -> None:
    cluster.server.core.options.rbac = True
    async with in_cluster(cluster, namespace="default") as base, browser(base) as found:
        await found.sign_in(cluster.token("nobody"))
        page = await found.get(path)
        assert page.status == 403
        assert "nobody may not list" in page.words


async def test_below_a_base_path_every_link_has_it(cluster: SmallCluster) -> None:
    await cluster.create(JOBFLOW, a_flow("nightly", {"a": ()}))
    async with in_cluster(cluster, base_path="/tools/jobflow", namespace="default") as base, browser(base) as found:
        found.base = base
        await found.post("/tools/jobflow/signin", {"token": cluster.token("ann", "system:masters"), "next": "/flows"})
        page = await found.get("/tools/jobflow/flows")
        assert "nightly" in page.words
        links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
        outside = [link for link in links if not link.startswith(("/tools/jobflow/", "#"))]
        assert outside == []
        assert (await found.get("/flows")).status == 404


async def test_a_flow_of_volcanos_own_controller_has_states_too(cluster: SmallCluster, site: PlainBrowser) -> None:
    entries = [
        {
            "name": "old-a",
            "state": "Completed",
            "startTimestamp": "2026-11-28T08:00:00Z",
            "endTimestamp": "2026-11-28T08:01:00Z",
        },
        {"name": "old-b", "state": "Running", "startTimestamp": "2026-11-28T08:01:00Z"},
        {"name": "old-c", "state": ""},
    ]
    flow = a_flow("old", {"a": (), "b": ("a",), "c": ("b",)})
    await cluster.create(JOBFLOW, flow, {"state": {"phase": "Running"}, "jobStatusList": entries})
    for tab in ("graph", "timeline", "steps", "next", "outputs", "events", "yaml"):
        assert (await site.get(f"/flows/default/old?tab={tab}")).status == 200
    words = (await site.get("/flows/default/old?tab=steps")).words
    assert "1/3" in words
    assert "a ✓ Completed" in words
    assert "b ● Running" in words
    assert "c ○ Waiting" in words


async def test_exceptions_stand_below_the_policies_that_they_are_for(cluster: SmallCluster, site: PlainBrowser) -> None:
    limits = {"limits": {"maxSteps": 1}}
    await cluster.create(JOBFLOWPOLICY, {"metadata": {"name": "small"}, "spec": limits})
    spec = {
        "policies": [{"name": "small", "rules": ["limits.maxSteps"]}],
        "match": {"kinds": ["JobFlow"], "names": ["big-*"]},
        "expiresAt": "2099-01-01T00:00:00Z",
        "reason": "moves <b>soon</b>",
    }
    metadata = {"name": "for-a-while", "namespace": "default"}
    await cluster.create(JOBFLOWPOLICYEXCEPTION, {"metadata": metadata, "spec": spec}, {"state": "Active"})
    page = await site.get("/policies")
    for words in ("1 exception", "for-a-while", "Active", "JobFlow big-*", "limits.maxSteps", "moves <b>soon</b>"):
        assert words in page.words, words
    assert "<b>soon" not in page.text


async def test_a_policy_says_which_rules_the_api_server_enforces_itself(
    cluster: SmallCluster, site: PlainBrowser
) -> None:
    left = [{"rule": "rules.own", "why": "it looks up queues"}]
    status = {"inProcess": {"rules": ["limits.maxSteps"], "webhookOnly": left}}
    await cluster.create(JOBFLOWPOLICY, {"metadata": {"name": "inside"}, "spec": {"limits": {"maxSteps": 1}}}, status)
    words = (await site.get("/policies")).words
    assert "Enforced by the API server itself, also while no webhook answers: limits.maxSteps." in words
    assert "1 only by the webhook, in whole or in part rules.own: it looks up queues" in words
