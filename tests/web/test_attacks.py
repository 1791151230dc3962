"""Malicious text in objects, addresses and logs does not harm the users of the pages."""

import io
import json
import logging

import pytest

from shared.kinds import EVENT, JOB, JOBFLOW, POD
from shared.model.types import Body
from shared.names import JOB_NAME, STEP
from tests.web.make import a_flow, a_status
from tests.web.site import PlainBrowser, SmallCluster, browser, in_cluster
from web.security.headers import CONTENT_SECURITY_POLICY

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}{%raw%}"
PAGES = [
    "/flows?namespace=*",
    "/flows/default/f",
    "/flows/default/f?tab=timeline",
    "/flows/default/f?tab=steps",
    "/flows/default/f?tab=next",
    "/flows/default/f?tab=outputs",
    "/flows/default/f?tab=events",
    "/flows/default/f?tab=yaml",
    "/flows/default/f/steps/a",
    "/jobs",
    "/jobs/default/f-a",
]


def pod(name: str, job: str, phase: str = "Succeeded") -> tuple[Body, Body]:
    spec = {"containers": [{"name": "c", "image": "x"}], "restartPolicy": "Never"}
    failed = {"phase": phase, "reason": "Evicted", "message": SCRIPT}
    return {"metadata": {"name": name, "namespace": "default", "labels": {JOB_NAME: job}}, "spec": spec}, failed


async def fill(cluster: SmallCluster) -> None:
    """One flow with a script in every text that somebody may choose."""
    flow = a_flow("f", {"a": (), "b": ("a",)}, params=[{"name": "p", "value": SCRIPT}])
    flow["metadata"]["annotations"] = {"note": SCRIPT}
    steps = {
        "a": {"phase": "Failed", "reason": "JobFailed", "message": SCRIPT, "outputs": {"o": SCRIPT}, "jobs": ["f-a"]},
        "b": {"phase": "Waiting", "message": SCRIPT},
    }
    said = {"next": [{"name": "b", "waitingFor": [SCRIPT]}], "nextSummary": SCRIPT}
    made = await cluster.create(JOBFLOW, flow, a_status("Running", steps, **said))
    await cluster.status(JOBFLOW, "f", {"state": {"phase": "Running", "reason": SCRIPT, "message": SCRIPT}})
    owner = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": "f", "uid": made["metadata"]["uid"]}
    template = {"spec": {"containers": [{"name": "c", "image": SCRIPT}]}}
    job = {
        "metadata": {"name": "f-a", "namespace": "default", "labels": {STEP: "a"}, "ownerReferences": [owner]},
        "spec": {"tasks": [{"name": "t", "replicas": 1, "template": template}], "queue": "q"},
    }
    await cluster.create(JOB, job, {"state": {"phase": "Failed", "reason": "x", "message": SCRIPT}})
    body, status = pod("f-a-t-0", "f-a", "Failed")
    await cluster.create(POD, body, status)
    for kind, name in (("JobFlow", "f"), ("Job", "f-a")):
        subject = {"kind": kind, "name": name, "namespace": "default"}
        event = {"metadata": {"generateName": "e", "namespace": "default"}, "involvedObject": subject}
        await cluster.create(EVENT, {**event, "reason": SCRIPT, "message": SCRIPT, "type": "Warning"})


async def test_a_script_in_an_object_stays_text_on_every_page(cluster: SmallCluster, site: PlainBrowser) -> None:
    await fill(cluster)
    seen = 0
    for path in PAGES:
        page = await site.get(path)
        assert page.status == 200, (path, page.words)
        assert "<script>alert" not in page.text, path
        assert "<img src=x" not in page.text, path
        assert "onerror=alert" not in page.text.replace("onerror=alert(2)&gt;", ""), path
        assert page.text.count("<script") == page.text.count('<script type="module" src="'), path
        assert " style=" not in page.text, path
        assert page.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        seen += "alert(1)" in page.words
    assert seen >= 6, "the text is there, as text"


async def test_a_script_in_a_filter_stays_text(site: PlainBrowser) -> None:
    for name in ("namespace", "name", "selector", "phase", "sort", "page", "tab", "did", "of"):
        page = await site.get(f"/flows?{name}=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script>alert" not in page.text, name


async def test_logs_are_lines_of_json_with_bounded_length(cluster: SmallCluster, site: PlainBrowser) -> None:
    body, status = pod("f-a-t-0", "f-a")
    await cluster.create(POD, body, status)
    log = b"first\n" + b"x" * 10_000_000 + b"\n" + SCRIPT.encode() + b"\nlast"
    cluster.server.core.logs["default", "f-a-t-0", "c"] = log
    answer = await site.get("/logs/default/f-a/follow")
    lines = [json.loads(line)["text"] for line in answer.text.splitlines()]
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert [lines[0], lines[2], lines[3]] == ["first", SCRIPT, "last"]
    assert len(lines[1]) < 20_000
    assert lines[1].endswith("… 9983616 bytes left out")
    whole = await site.get("/logs/default/f-a")
    assert whole.headers["Content-Type"].startswith("text/plain")
    assert len(whole.text) > 10_000_000


async def test_logs_stop_after_ten_thousand_lines_with_a_word(cluster: SmallCluster, site: PlainBrowser) -> None:
    for index in range(12):
        body, status = pod(f"f-a-t-{index}", "f-a")
        await cluster.create(POD, body, status)
        cluster.server.core.logs["default", f"f-a-t-{index}", "c"] = b"line\n" * 5000
    answer = await site.get("/logs/default/f-a/follow")
    lines = answer.text.splitlines()
    assert len(lines) == 10_001
    assert json.loads(lines[-1]) == {
        "pod": "",
        "text": "stopped after 10000 lines; Download has them all",
        "note": True,
    }


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/",
        "/static/..%5capp.py",
        "/logs/..%2f..%2fapi/v1",
        "/yaml/secrets/default/x",
        "/act/secrets/default/x/delete",
        "/nothing",
    ],
)
async def test_paths_lead_nowhere_else(site: PlainBrowser, path: str) -> None:
    answer = await site.get(path)
    assert answer.status in (403, 404, 405)
    assert "import" not in answer.text.partition("<main")[2]


async def test_names_in_addresses_are_one_segment_at_the_api_server(site: PlainBrowser, cluster: SmallCluster) -> None:
    answer = await site.get("/flows/default/..%2F..%2F..%2Fapi%2Fv1%2Fsecrets")
    assert answer.status in (400, 404)
    asked = [call.resource for call in cluster.server.core.audit.requests]
    assert "secrets" not in asked


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"])
async def test_another_host_gets_nothing(site: PlainBrowser, host: str) -> None:
    for path in ("/flows", "/signin", "/static/main.js"):
        answer = await site.get(path, Host=host)
        assert answer.status in (400, 403)
        assert "jobflow" not in answer.headers.get("Set-Cookie", "")


async def test_tokens_are_in_no_address_no_page_and_no_log(
    cluster: SmallCluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = cluster.token("ann", "system:masters")
    async with in_cluster(cluster) as base, browser(base) as found:
        pages = [await found.sign_in(token), await found.get("/flows"), await found.get("/flows/default/none")]
        pages.append(await found.sign_in("not-" + token))
        for answer in pages:
            assert token not in answer.text
            assert token not in str(answer.url)
            assert token not in str(answer.headers)
    ours = [record for record in caplog.records if not record.name.startswith("local.")]
    assert not [record for record in ours if token in record.getMessage() or token in str(vars(record))]


async def test_cookies_and_headers_are_strict(cluster: SmallCluster) -> None:
    async with in_cluster(cluster) as base, browser(base) as found:
        async with found.http.post(
            f"{base}/signin",
            data={"token": cluster.token("ann", "system:masters"), "next": "/"},
            headers={"Origin": base},
            allow_redirects=False,
        ) as response:
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-jobflow=")
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/"))
        assert "Domain" not in cookie
        answer = await found.get("/flows")
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "jobflow"


async def test_a_form_that_is_too_large_is_refused(site: PlainBrowser) -> None:
    body = io.BytesIO(b"csrf=x&param.x=" + b"y" * 4_000_000)
    headers = {"Origin": site.base, "Content-Type": "application/x-www-form-urlencoded"}
    async with site.http.post(f"{site.base}/flows/default/f/run-again", data=body, headers=headers) as response:
        assert response.status == 413
