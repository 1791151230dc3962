"""Steps that run a flow, and steps that wait for a person: what pages show about them, and how users answer."""

import json

import pytest

from drawing.nested import places_of_steps
from shared.kinds import COMMAND, JOBFLOW, Kind
from shared.model.types import Body
from shared.names import APPROVER, ATTEMPT, CREATED_BY_FLOW, CRON_NAME, FLOW_TEMPLATE, ITERATION, STEP
from tests.web.make import a_flow, a_status
from tests.web.site import PlainBrowser, SmallCluster, browser, in_cluster, laptop
from web.views.flows.approvals import waiting_approvals
from web.views.flows.made_objects import made_objects
from web.views.flows.sub_flows import origins

READ = {"apiGroups": ["flow.volcano.sh"], "resources": ["jobflows"], "verbs": ["get", "list", "watch"]}
ORDER = {"apiGroups": ["bus.volcano.sh"], "resources": ["commands"], "verbs": ["create"]}
POD: Body = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}
SAY_YES = {**READ, "verbs": ["approve"]}
ASKS = {"phase": "Pending", "reason": "WaitingForApproval", "message": "Release <b>it</b>?", "attempts": 2}


def asking(name: str, **state: object) -> tuple[Body, Body]:
    flow = a_flow(name, {"build": (), "release": ("build",)})
    flow["spec"]["flows"][1]["approve"] = {"message": "Release it?", "timeout": "1h"}
    begun = {**ASKS, "startTime": "2026-11-28T08:00:00Z", **state}
    return flow, a_status("Running", {"build": "Completed", "release": begun})


async def nested(cluster: SmallCluster) -> None:
    """`above` runs a flow for each of two regions; that of the second region waits for a person."""
    body = a_flow("above", {"region": (), "after": ("region",)})
    body["spec"]["flows"][0] |= {"flow": {"template": "load"}, "for": {"items": ["eu", "us"]}}
    region = {"phase": "Running", "iterations": {"total": 2, "running": 2, "runningIndexes": "0-1"}}
    made = await cluster.create(JOBFLOW, body, a_status("Running", {"region": region}))
    owner = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": "above", "uid": made["metadata"]["uid"]}
    for index in ("0", "1"):
        flow, status = asking(f"above-region-{index}")
        labels = {STEP: "region", ITERATION: index, ATTEMPT: "0", CREATED_BY_FLOW: "default.above"}
        flow["metadata"] |= {"labels": labels, "ownerReferences": [{**owner, "controller": True}]}
        if index == "0":
            status["steps"][1] = {"name": "release", "phase": "Failed", "attempts": 1}
        await cluster.create(JOBFLOW, flow, status)


async def sent(cluster: SmallCluster) -> list[tuple[str, Body, str]]:
    found = [each async for each in cluster.api.list(COMMAND)]
    return [
        (each["action"], json.loads(each["message"]), each["metadata"].get("annotations", {}).get(APPROVER, ""))
        for each in found
    ]


@pytest.mark.parametrize(("verb", "decision"), [("approve", "Approved"), ("reject", "Rejected")])
async def test_an_answer_names_its_sender_and_the_attempt_that_was_seen(
    cluster: SmallCluster, verb: str, decision: str
) -> None:
    await cluster.create(JOBFLOW, *asking("nightly"))
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("ann", "system:masters"))
        page = await found.get("/flows/default/nightly")
        assert "Waits for a person: release" in page.words
        assert "Release &lt;b&gt;it&lt;/b&gt;?" in page.text
        form = {"answer": verb, "attempt": "2", "message": "looked at it", "back": "/flows/default/nightly"}
        answer = await found.post("/flows/default/nightly/steps/release/answer", form)
        assert "nightly got your" in answer.words
    message = {"step": "release", "attempt": 2, "decision": decision, "message": "looked at it"}
    assert await sent(cluster) == [("ApproveStep", message, "ann")]


async def test_an_answer_to_an_earlier_attempt_is_not_sent(cluster: SmallCluster, site: PlainBrowser) -> None:
    await cluster.create(JOBFLOW, *asking("nightly"))
    await site.get("/flows/default/nightly")
    late = await site.post("/flows/default/nightly/steps/release/answer", {"answer": "approve", "attempt": "1"})
    assert late.status == 409
    assert "this is attempt 2" in late.words
    wrong = await site.post("/flows/default/nightly/steps/build/answer", {"answer": "approve", "attempt": "1"})
    assert wrong.status == 409
    assert (await site.post("/flows/default/nightly/steps/release/answer", {"answer": "maybe"})).status == 400
    assert await sent(cluster) == []


async def test_who_may_not_approve_is_told_so_instead_of_buttons(cluster: SmallCluster) -> None:
    cluster.server.core.options.rbac = True
    await cluster.create(JOBFLOW, *asking("nightly"))
    await cluster.allow("bob", READ, ORDER)
    await cluster.allow("eve", READ, ORDER, SAY_YES)
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("bob"))
        page = await found.get("/flows/default/nightly/steps/release")
        assert "You may not answer: that needs the verb approve on jobflows.flow.volcano.sh" in page.words
        assert 'value="approve"' not in page.text
        await found.sign_in(cluster.token("eve"))
        assert 'value="approve"' in (await found.get("/flows/default/nightly/steps/release")).text


async def test_the_step_says_who_has_answered(cluster: SmallCluster, site: PlainBrowser) -> None:
    given = {"decision": "Rejected", "user": "ann", "time": "2026-11-28T09:00:00Z", "message": "too slow"}
    flow, status = asking("nightly", phase="Failed", reason="Rejected", approval=given)
    await cluster.create(JOBFLOW, flow, status)
    page = await site.get("/flows/default/nightly/steps/release")
    assert "Rejected by ann" in page.words
    assert "too slow" in page.words
    assert "Waits for a person" not in page.words
    assert "Logs" not in page.words


async def test_a_read_only_server_shows_the_question_without_buttons(cluster: SmallCluster) -> None:
    await cluster.create(JOBFLOW, *asking("nightly"))
    async with laptop(cluster, namespace="default", read_only=True) as site:
        page = await site.get("/flows/default/nightly")
        assert "Waits for a person" in page.words
        assert 'name="answer"' not in page.text
        assert (await site.post("/flows/default/nightly/steps/release/answer", {"answer": "approve"})).status == 403


async def test_the_flows_of_a_step_are_shown_in_place_and_lead_to_their_own_pages(
    cluster: SmallCluster, site: PlainBrowser
) -> None:
    await nested(cluster)
    for tab in ("graph", "steps", "next"):
        page = await site.get(f"/flows/default/above?tab={tab}")
        assert "region[1]/release" in page.words, tab
        assert 'href="/flows/default/above-region-1/steps/release"' in page.text, tab
    assert "Waits for a person: region[1]/release" in page.words
    assert 'action="/flows/default/above-region-1/steps/release/answer"' in page.text
    around = await site.get("/flows/default/above?tab=graph&around=region%5B1%5D/release")
    assert "Around region[1]/release" in around.words
    step = await site.get("/flows/default/above/steps/region")
    assert "Flows that it runs 2" in step.words
    assert 'href="/flows/default/above-region-0"' in step.text
    child = await site.get("/flows/default/above-region-1")
    assert 'href="/flows/default/above/steps/region"' in child.text
    assert "above / region" in child.words
    assert (await site.get("/flows/default/above")).words.count("0/2") >= 1, "progress is that of the flow itself"


def test_what_a_flow_comes_from_has_links() -> None:
    flow = a_flow("f", {"a": ()}, namespace="ns")
    flow["metadata"]["ownerReferences"] = [{"kind": "CronJobFlow", "name": "nightly", "controller": True}]
    flow["metadata"]["annotations"] = {FLOW_TEMPLATE: "load"}
    assert [(each.kind, each.name, each.parts[0]) for each in origins(flow)] == [
        ("schedule", "nightly", "schedules"),
        ("template", "load", "templates"),
    ]
    flow["metadata"] |= {"labels": {CRON_NAME: "nightly"}, "ownerReferences": []}
    assert [each.name for each in origins(flow)] == ["nightly", "load"]
    flow["metadata"] = {"name": "f", "ownerReferences": [{"kind": "Workflow", "name": "w", "controller": True}]}
    assert [(each.kind, each.name, each.parts) for each in origins(flow)] == [("Workflow", "w", ())]


def test_a_step_without_a_timeout_waits_for_ever_and_one_that_has_not_begun_does_not_ask() -> None:
    body, status = asking("f", startTime=None)
    del body["spec"]["flows"][1]["approve"]["timeout"]
    body["status"] = status
    (found,) = waiting_approvals(places_of_steps(body, []))
    assert (found.until, found.since, found.attempt) == (None, None, 2)
    status["steps"][1] = {"name": "release", "phase": "Waiting"}
    assert waiting_approvals(places_of_steps(body, [])) == ()


async def test_many_steps_come_in_pages_and_can_be_searched(cluster: SmallCluster, site: PlainBrowser) -> None:
    steps = {f"s{number}": "Failed" if number % 100 == 7 else "Completed" for number in range(650)}
    await cluster.create(JOBFLOW, a_flow("large", dict.fromkeys(steps, ())), a_status("Running", steps))
    first = await site.get("/flows/default/large?tab=steps")
    assert first.text.count('<tr id="step-') == 300
    assert "Page 1 of 3" in first.words
    assert first.text.index('id="step-s607"') < first.text.index('id="step-s0"'), "failed ones come first"
    assert 'href="/flows/default/large?tab=steps&amp;phase=Failed"' in first.text
    failed = await site.get("/flows/default/large?tab=steps&phase=Failed")
    assert "7 of 650 steps" in failed.words
    assert "No step matches" in (await site.get("/flows/default/large?tab=steps&name=none")).words


async def test_a_step_that_makes_another_kind_shows_its_objects_with_their_conditions(
    cluster: SmallCluster, site: PlainBrowser
) -> None:
    body = a_flow("trains", {"train": ()})
    body["spec"]["flows"][0]["resource"] = {"manifest": {"apiVersion": "batch/v1", "kind": "Job"}}
    flow = await cluster.create(JOBFLOW, body, a_status("Running", {"train": "Running"}))
    owner = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": "trains", "uid": flow["metadata"]["uid"]}
    kind = Kind("batch/v1", "Job", "jobs")
    for name, owners in (("trains-train", [owner]), ("of-others", [])):
        metadata = {"name": name, "namespace": "default", "labels": {STEP: "train"}, "ownerReferences": owners}
        await cluster.create(kind, {"metadata": metadata, "spec": {"template": {"spec": POD}}})
    condition = {"type": "Complete", "status": "True", "reason": "Done", "message": "<b>all</b> pods"}
    await cluster.status(kind, "trains-train", {"conditions": [condition]})
    page = await site.get("/flows/default/trains/steps/train")
    for words in ("Job batch/v1", "trains-train", "Complete True Done: <b>all</b> pods"):
        assert words in page.words, words
    assert "<b>all" not in page.text
    assert "of-others" not in page.words
    assert "Logs" not in page.words


@pytest.mark.parametrize("status", [None, "Done", {}, {"conditions": "none"}, {"conditions": ["odd", {}]}])
def test_objects_with_any_status_are_listed(status: object) -> None:
    flow: Body = {"metadata": {"name": "f", "uid": "u"}}
    metadata = {"name": "o", "labels": {STEP: "s", ATTEMPT: "x"}, "ownerReferences": [{"uid": "u"}]}
    (found,) = made_objects(flow, "s", [{"metadata": metadata, "status": status}])
    assert (found.name, found.attempt) == ("o", 0)
    assert [each.type for each in found.conditions] in ([], [""])
