"""What a person starts from the pages: templates, schedules now and for times in the past; and the choice of a namespace."""

import json

import pytest

from shared.kinds import (
    CRONJOB,
    CRONJOBFLOW,
    CRONJOBFLOWBACKFILL,
    JOB,
    JOBFLOW,
    JOBFLOWTEMPLATE,
    NAMESPACE,
)
from shared.model.types import Body
from shared.names import FLOW_TEMPLATE
from tests.web.make import a_flow
from tests.web.site import PlainBrowser, SmallCluster, browser, in_cluster, laptop
from web.views.backfill_list import backfill_rows
from web.views.param_fields import fields_of_schedule, fields_of_template, values_of

PARAMS: list[Body] = [
    {"name": "region", "enum": ["eu", "us"], "required": True, "description": "where <b>it</b> runs"},
    {"name": "day", "default": "monday", "pattern": "[a-z]+"},
    {"name": "note"},
]
BACKFILL = {"from": "2026-01-01T00:00", "to": "2026-01-02T12:30:01", "parallelism": "3", "reprocess": "Failed"}


def template(name: str = "load") -> Body:
    flow = a_flow("x", {"a": ()}, params=[{"name": "own", "value": "1"}])["spec"]
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"params": PARAMS, "flow": flow}}


def schedule(name: str, **spec: object) -> Body:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"schedules": ["0 2 * * *"], **spec}}


async def test_a_template_runs_with_the_params_of_its_form(cluster: SmallCluster, site: PlainBrowser) -> None:
    await cluster.create(JOBFLOWTEMPLATE, template())
    page = await site.get("/templates/default/load")
    assert "<option>eu</option>" in page.text
    assert "where &lt;b&gt;it&lt;/b&gt; runs" in page.text
    form = {"param.region": "us", "param.day": "friday", "param.note": "", "param.own": "2", "name": "mine"}
    answer = await site.post("/templates/default/load/run", form)
    assert answer.url.path == "/flows/default/mine"
    made = await cluster.api.get(JOBFLOW, "default", "mine")
    values = {param["name"]: param["value"] for param in made["spec"]["params"]}
    assert values == {"own": "2", "day": "friday", "region": "us"}
    assert made["metadata"]["annotations"][FLOW_TEMPLATE] == "load"
    assert "From template load" in answer.words
    assert "mine flow" in (await site.get("/templates/default/load")).words


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"param.region": "mars"}, "param region must be one of eu, us"),
        ({}, "param region is required by the template"),
        ({"param.region": "eu", "param.day": "9"}, "param day must match the pattern [a-z]+"),
        ({"param.region": "eu", "param.<b>": "9"}, "param <b> is not a param of the template"),
    ],
)
async def test_params_that_a_template_does_not_allow_are_named(
    cluster: SmallCluster, site: PlainBrowser, form: dict[str, str], said: str
) -> None:
    await cluster.create(JOBFLOWTEMPLATE, template())
    await site.get("/templates")
    answer = await site.post("/templates/default/load/run", form)
    assert answer.status == 400
    assert said.lower() in answer.words.lower()
    assert [each async for each in cluster.api.list(JOBFLOW)] == []


async def test_a_schedule_runs_now_with_other_params_and_does_not_own_the_run(
    cluster: SmallCluster, site: PlainBrowser
) -> None:
    await cluster.create(JOBFLOWTEMPLATE, template())
    params = [{"name": "region", "value": "eu"}, {"name": "note", "value": "for $(schedule.date)"}]
    await cluster.create(CRONJOBFLOW, schedule("nightly", template={"name": "load"}, params=params))
    page = await site.get("/schedules/cronjobflows/default/nightly")
    assert 'value="for $(schedule.date)"' in page.text
    form = {"param.region": "us", "param.note": "for $(schedule.date)"}
    answer = await site.post("/schedules/cronjobflows/default/nightly/run", form)
    assert answer.url.path.startswith("/flows/default/nightly-manual-")
    (made,) = [each async for each in cluster.api.list(JOBFLOW)]
    values = {param["name"]: param["value"] for param in made["spec"]["params"]}
    assert values["region"] == "us"
    assert values["note"].startswith("for 20")
    assert "ownerReferences" not in made["metadata"]
    assert "From schedule nightly" in answer.words


async def test_a_cron_job_runs_now(cluster: SmallCluster, site: PlainBrowser) -> None:
    task = {"name": "t", "replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}}
    spec = {"schedule": "0 2 * * *", "jobTemplate": {"spec": {"tasks": [task], "queue": "q"}}}
    await cluster.create(CRONJOB, {"metadata": {"name": "tidy", "namespace": "default"}, "spec": spec})
    await site.get("/schedules")
    answer = await site.post("/schedules/cronjobs/default/tidy/run")
    assert answer.url.path.startswith("/jobs/default/tidy-manual-")
    assert len([each async for each in cluster.api.list(JOB)]) == 1
    assert (await site.post("/schedules/queues/default/tidy/run")).status == 404


async def test_a_backfill_starts_and_its_progress_is_shown(cluster: SmallCluster, site: PlainBrowser) -> None:
    await cluster.create(CRONJOBFLOW, schedule("nightly", jobFlowTemplate={"spec": a_flow("x", {"a": ()})["spec"]}))
    await site.get("/schedules/cronjobflows/default/nightly")
    back = {"back": "/schedules/cronjobflows/default/nightly"}
    answer = await site.post("/schedules/cronjobflows/default/nightly/backfill", {**BACKFILL, **back})
    assert "nightly is being backfilled" in answer.words
    (made,) = [each async for each in cluster.api.list(CRONJOBFLOWBACKFILL)]
    spec = {"cronJobFlow": "nightly", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T12:30:01Z"}
    assert made["spec"] == {**spec, "parallelism": 3, "reprocess": "Failed"}
    status = {"total": 10, "succeeded": "0-3", "failed": "4", "active": [{"name": "nightly-1"}]}
    await cluster.status(CRONJOBFLOWBACKFILL, made["metadata"]["name"], status)
    page = await site.get("/schedules/cronjobflows/default/nightly")
    assert "5/10" in page.words
    assert "1 failed" in page.words
    assert 'href="/flows/default/nightly-1"' in page.text
    gone = await site.post(f"/act/cronjobflowbackfills/default/{made['metadata']['name']}/delete", back)
    assert "is being deleted" in gone.words
    assert [each async for each in cluster.api.list(CRONJOBFLOWBACKFILL)] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"from": ""}, "First time: nothing must be a time"),
        ({"to": "yesterday"}, "Last time: yesterday must be a time"),
        ({"parallelism": "0"}, "must be a number from 1 to 1000"),
        ({"parallelism": "²"}, "must be a number from 1 to 1000"),
        ({"reprocess": "Some"}, "must be one of Never, Failed, All"),
    ],
)
async def test_what_a_backfill_needs_is_named(site: PlainBrowser, change: dict[str, str], said: str) -> None:
    await site.get("/schedules")
    answer = await site.post("/schedules/cronjobflows/default/nightly/backfill", {**BACKFILL, **change})
    assert answer.status == 400
    assert said in answer.words


async def test_namespaces_are_offered_to_whoever_may_list_them(cluster: SmallCluster, site: PlainBrowser) -> None:
    await cluster.create(NAMESPACE, {"metadata": {"name": "research"}})
    assert "research" in json.loads((await site.get("/namespaces")).text)
    cluster.server.core.options.rbac = True
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("nobody"))
        assert json.loads((await found.get("/namespaces")).text) == []


async def test_a_read_only_server_starts_nothing(cluster: SmallCluster) -> None:
    await cluster.create(JOBFLOWTEMPLATE, template())
    async with laptop(cluster, namespace="default", read_only=True) as site:
        assert "Run it" not in (await site.get("/templates/default/load")).words
        for path in ("templates/default/load", "schedules/cronjobflows/default/x", "schedules/cronjobs/default/x"):
            assert (await site.post(f"/{path}/run")).status == 403
        assert (await site.post("/schedules/cronjobflows/default/x/backfill", dict(BACKFILL))).status == 403


def test_the_fields_of_a_schedule_have_its_values_before_those_of_the_template() -> None:
    params = [{"name": "region", "value": "$(schedule.date)"}, {"name": "odd", "value": "1"}]
    fields = {field.name: field for field in fields_of_schedule(schedule("s", params=params), template())}
    assert list(fields) == ["region", "day", "note", "own", "odd"]
    assert (fields["region"].value, fields["region"].choices) == ("$(schedule.date)", ())
    assert fields["day"].value == "monday"


def test_a_field_that_was_emptied_is_empty_and_one_that_was_left_empty_is_absent() -> None:
    posted = [("param.day", ""), ("param.note", ""), ("param.region", "eu"), ("csrf", "x")]
    assert values_of(posted, fields_of_template(template())) == {"day": "", "region": "eu"}


def test_backfills_of_other_schedules_are_left_out_and_the_newest_comes_first() -> None:
    made = [
        {"metadata": {"name": name, "creationTimestamp": f"2026-01-0{day}T00:00:00Z"}, "spec": {"cronJobFlow": of}}
        for name, day, of in (("old", 1, "s"), ("new", 2, "s"), ("other", 3, "t"))
    ]
    assert [row.name for row in backfill_rows(made, "s")] == ["new", "old"]
