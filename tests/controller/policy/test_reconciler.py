"""The policy controller on a fake API server: when it scans, what it writes, and that it yields to other tasks."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from controller.context import ControllerContext
from controller.policy import reconciler
from controller.policy.reconciler import SCAN, exception_wakes, policy_wakes
from controller.policy.scan import REST_SECONDS, Yielder
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.controller.support import NOW, SetClock, running
from tests.shared.kube.fake import FakeServer, status, until

POLICIES = "/apis/policy.jobflow.dev/v1alpha1/jobflowpolicies"
FLOWS = "/apis/flow.volcano.sh/v1alpha1/jobflows"
TEMPLATES = "/apis/flow.volcano.sh/v1alpha1/jobtemplates"
JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"
CRONS = "/apis/flow.jobflow.dev/v1alpha1/cronjobflows"
FLOW_TEMPLATES = "/apis/flow.jobflow.dev/v1alpha1/jobflowtemplates"
NAMESPACES = "/api/v1/namespaces"
REPORTS = "/apis/openreports.io/v1alpha1/reports"
CLUSTER_REPORTS = "/apis/openreports.io/v1alpha1/clusterreports"
POLICY_REPORTS = "/apis/wgpolicyk8s.io/v1alpha2/policyreports"
EXCEPTIONS = "/apis/policy.jobflow.dev/v1alpha1/jobflowpolicyexceptions"


def policy(name: str = "p", generation: int = 1, **spec: Any) -> Body:
    return {"metadata": {"name": name, "generation": generation}, "spec": spec}


def flow(name: str, *steps: str, namespace: str = "ns", created: str = "", **spec: Any) -> Body:
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": created or "2026-01-01T00:00:00Z"}
    return {"metadata": metadata, "spec": {"flows": [{"name": step} for step in steps], **spec}}


def status_of(fake: FakeServer, name: str = "p") -> Body:
    return fake.objects[POLICIES]["", name].get("status") or {}


def found(fake: FakeServer, name: str = "p") -> list[str]:
    return [each["name"] for each in status_of(fake, name).get("lastViolations") or ()]


async def scanned(fake: FakeServer, context: ControllerContext, *names: str) -> None:
    """Until the policies (default `p`) have been scanned for once."""
    controller = reconciler.build(context)
    async with running(context, controller):
        await until(lambda: all("lastScanTime" in status_of(fake, name) for name in names or ("p",)))


async def test_stored_objects_are_checked_against_policies(fake: FakeServer, context: ControllerContext) -> None:
    fake.put(POLICIES, policy(limits={"maxSteps": 1}))
    fake.put(
        POLICIES, policy("q", match={"namespaceSelector": {"matchLabels": {"env": "prod"}}}, limits={"maxSteps": 0})
    )
    fake.put(POLICIES, policy("broken", rules=[{"name": "r", "expression": "object."}]))
    fake.put(NAMESPACES, {"metadata": {"name": "prod", "labels": {"env": "prod"}}})
    fake.put(FLOWS, flow("long", "a", "b"))
    fake.put(FLOWS, flow("short", "a", namespace="prod"))
    going = flow("going", "a", "b")
    going["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    fake.put(FLOWS, going)
    await scanned(fake, context, "p", "q", "broken")
    assert (found(fake), found(fake, "q"), found(fake, "broken")) == (["long"], ["short"], [])
    assert status_of(fake)["conditions"][0]["status"] == "True"
    assert status_of(fake, "broken")["conditions"][0]["reason"] == "Invalid"
    assert [namespace for namespace, _ in sorted(fake.objects[REPORTS])] == ["ns", "prod"]


async def test_templates_in_schedules_are_checked_under_the_name_of_the_schedule(
    fake: FakeServer, context: ControllerContext
) -> None:
    fake.put(POLICIES, policy(limits={"maxSteps": 1}))
    metadata = {"name": "nightly", "namespace": "ns", "uid": "u7"}
    long = {"flows": [{"name": "a"}, {"name": "b"}]}
    fake.put(CRONS, {"metadata": metadata, "spec": {"jobFlowTemplate": {"spec": long}}})
    fake.put(CRONS, {"metadata": {**metadata, "name": "by-name"}, "spec": {"template": {"name": "long"}}})
    fake.put(FLOW_TEMPLATES, {"metadata": {**metadata, "name": "long"}, "spec": {"flow": long}})
    await scanned(fake, context)
    listed = [(each["kind"], each["name"]) for each in status_of(fake)["lastViolations"]]
    assert listed == [("CronJobFlow", "nightly"), ("JobFlowTemplate", "long")]
    assert status_of(fake)["lastViolations"][0]["message"].startswith("spec.jobFlowTemplate.spec.flows: ")


async def test_rules_about_the_request_do_not_concern_stored_objects(
    fake: FakeServer, context: ControllerContext
) -> None:
    rules = [
        {"name": "who", "expression": "request.userInfo.username == 'ann'"},
        {"name": "what", "expression": "object.spec.flows.size() == 7 && oldObject == null"},
    ]
    fake.put(POLICIES, policy(rules=rules))
    fake.put(FLOWS, flow("f", "a"))
    await scanned(fake, context)
    assert [each["rule"] for each in status_of(fake)["lastViolations"]] == ["rules.what"]


async def test_templates_and_running_flows_are_looked_up_in_the_namespace(
    fake: FakeServer, context: ControllerContext
) -> None:
    fake.put(POLICIES, policy("t", required={"existingTemplates": True}))
    fake.put(POLICIES, policy("r", limits={"maxRunningFlows": 1}))
    fake.put(TEMPLATES, {"metadata": {"name": "a", "namespace": "ns"}, "spec": {}})
    fake.put(FLOWS, flow("young", "a", created="2026-01-03T00:00:00Z"))
    fake.put(FLOWS, flow("old", "a", "b", created="2026-01-02T00:00:00Z"))
    fake.put(FLOWS, flow("held", "a", suspend=True))
    fake.put(FLOWS, {**flow("done", "a"), "status": {"state": {"phase": "Succeed"}}})
    fake.put(FLOWS, flow("elsewhere", namespace="other"))
    await scanned(fake, context, "t", "r")
    assert found(fake, "t") == ["old"]
    assert found(fake, "r") == ["young"], "of too many, the youngest are too many"


async def test_a_changed_policy_is_scanned_again(fake: FakeServer, context: ControllerContext) -> None:
    fake.put(POLICIES, policy(limits={"maxSteps": 1}))
    fake.put(FLOWS, flow("long", "a", "b"))
    async with running(context, reconciler.build(context)):
        await until(lambda: found(fake) == ["long"])
        stored = fake.objects[POLICIES]["", "p"]
        metadata = {**stored["metadata"], "generation": 2}
        fake.put(POLICIES, {**stored, "metadata": metadata, "spec": {"limits": {"maxSteps": 2}}})
        await until(lambda: found(fake) == [] and status_of(fake)["observedGeneration"] == 2)
        await until(lambda: fake.objects[REPORTS] == {})


async def test_a_scan_with_the_same_result_writes_only_its_time(fake: FakeServer, context: ControllerContext) -> None:
    fake.put(POLICIES, policy(limits={"maxSteps": 1}))
    fake.put(FLOWS, flow("long", "a", "b"))
    controller = reconciler.build(context)
    async with running(context, controller):
        await until(lambda: fake.calls["POST reports"] == 1)
        before, writes = status_of(fake), fake.calls["PUT jobflowpolicies/status"]
        controller.queue.add(SCAN)
        lists = fake.calls["LIST reports"]
        await until(lambda: fake.calls["LIST reports"] > lists)
        assert fake.calls["PUT jobflowpolicies/status"] == writes, "the clock stands still, so nothing changed"
        assert isinstance(context.clock, SetClock)
        context.clock.now = NOW + 900
        controller.queue.add(SCAN)
        await until(lambda: status_of(fake) != before)
    assert {**status_of(fake), "lastScanTime": before["lastScanTime"]} == before
    assert fake.calls["PATCH reports"] == 0


async def test_without_the_reports_crd_the_status_has_the_violations(
    fake: FakeServer, context: ControllerContext
) -> None:
    async def absent(request: web.Request) -> web.StreamResponse | None:
        return status(404, "NotFound") if "report" in request.path else None

    fake.before = absent
    fake.put(POLICIES, policy(limits={"maxSteps": 0}))
    fake.put(FLOWS, flow("f", "a"))
    await scanned(fake, context)
    assert found(fake) == ["f"]
    assert fake.calls["POST reports"] == 0


@pytest.mark.parametrize("code", [403, 409, 422], ids=str)
async def test_a_report_that_cannot_be_written_does_not_fail_the_scan(
    fake: FakeServer, context: ControllerContext, code: int
) -> None:
    async def refused(request: web.Request) -> web.StreamResponse | None:
        return status(code, "No") if request.method == "POST" and request.path.endswith("/reports") else None

    fake.before = refused
    fake.put(POLICIES, policy(limits={"maxSteps": 0}))
    fake.put(FLOWS, flow("f", "a"))
    controller = reconciler.build(context)
    async with running(context, controller):
        await until(lambda: fake.calls["POST reports"] == 1)
        controller.queue.add(SCAN)
        await until(lambda: fake.calls["POST reports"] == 2)
    assert found(fake) == ["f"]


async def test_where_only_policy_reports_are_served_they_are_written_and_later_replaced(
    fake: FakeServer, context: ControllerContext
) -> None:
    served = False

    async def absent(request: web.Request) -> web.StreamResponse | None:
        return status(404, "NotFound") if "openreports" in request.path and not served else None

    fake.before = absent
    fake.put(POLICIES, policy(limits={"maxSteps": 0}))
    fake.put(FLOWS, flow("f", "a"))
    controller = reconciler.build(context)
    async with running(context, controller):
        await until(lambda: list(fake.objects.get(POLICY_REPORTS, ())) == [("ns", "jobflow-policies")])
        served = True
        controller.queue.add(SCAN)
        await until(lambda: list(fake.objects.get(REPORTS, ())) == [("ns", "jobflow-policies")])
        await until(lambda: fake.objects[POLICY_REPORTS] == {})
        await until(lambda: list(fake.objects.get(CLUSTER_REPORTS, ())) == [("", "jobflow-policies")])


def exception(*policies: str, expires: float = NOW + 60, **metadata: Any) -> Body:
    spec = {"policies": [{"name": name} for name in policies], "expiresAt": rfc3339(expires), "reason": "a test"}
    where = {"name": "x", "namespace": "ns", "creationTimestamp": rfc3339(NOW - 60), **metadata}
    return {"metadata": where, "spec": spec}


async def test_an_excepted_violation_is_none_until_the_exception_ends(
    fake: FakeServer, context: ControllerContext
) -> None:
    fake.put(POLICIES, policy(limits={"maxSteps": 0}, exceptions={"allowedNamespaces": ["ns"], "maxDuration": "1h"}))
    fake.put(FLOWS, flow("f", "a"))
    fake.put(FLOWS, flow("f", "a", namespace="other"))
    fake.put(EXCEPTIONS, exception("p"))
    async with running(context, reconciler.build(context)):
        await until(lambda: status_of(fake).get("excepted") == 1)
        assert [each["namespace"] for each in status_of(fake)["lastViolations"]] == ["other"]
        await until(lambda: ("ns", "jobflow-policies") in fake.objects.get(REPORTS, ()))
        assert fake.objects[REPORTS]["ns", "jobflow-policies"]["results"][0]["properties"]["exception"] == "x"
        assert isinstance(context.clock, SetClock)
        context.clock.now = NOW + 60
        fake.put(EXCEPTIONS, {**fake.objects[EXCEPTIONS]["ns", "x"], "status": {"state": "Expired"}})
        await until(lambda: status_of(fake)["violations"] == 2)
        assert "excepted" not in status_of(fake)


def test_an_exception_wakes_the_scan_when_it_comes_goes_or_changes_its_state() -> None:
    fresh = exception("p")
    active = {**fresh, "status": {"state": "Active"}}
    assert list(exception_wakes(None, fresh)) == [SCAN]
    assert list(exception_wakes(active, None)) == [SCAN]
    assert list(exception_wakes(active, {**active, "status": {"state": "Expired"}})) == [SCAN]
    assert list(exception_wakes(active, {**active, "metadata": {**active["metadata"], "labels": {"a": "b"}}})) == []


async def test_forbidden_reports_do_not_fail_the_scan(fake: FakeServer, context: ControllerContext) -> None:
    async def refused(request: web.Request) -> web.StreamResponse | None:
        return status(403, "Forbidden") if "report" in request.path else None

    fake.before = refused
    fake.put(POLICIES, policy(limits={"maxSteps": 0}))
    fake.put(FLOWS, flow("f", "a"))
    await scanned(fake, context)
    assert found(fake) == ["f"]


async def test_a_status_write_is_retried_after_a_conflict(fake: FakeServer, context: ControllerContext) -> None:
    async def collide(request: web.Request) -> web.StreamResponse | None:
        if request.method == "PUT" and fake.calls["PUT jobflowpolicies/status"] == 1:
            return status(409, "Conflict")
        return None

    fake.before = collide
    fake.put(POLICIES, policy(limits={"maxSteps": 0}))
    await scanned(fake, context)
    assert fake.calls["PUT jobflowpolicies/status"] >= 2


def test_only_a_change_of_the_spec_wakes_the_scan() -> None:
    plain = policy(limits={"maxSteps": 1})
    with_status = {**plain, "status": {"conditions": [{}]}}
    assert list(policy_wakes(None, plain)) == [SCAN]
    assert list(policy_wakes(plain, None)) == [SCAN]
    assert list(policy_wakes(plain, {**plain, "spec": {}})) == [SCAN]
    assert list(policy_wakes(plain, with_status)) == []
    assert list(policy_wakes(with_status, plain)) == [SCAN], "somebody removed the status"


async def test_a_scan_yields_to_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.001, 0.006, 0.006, 0.007, 50.0, 50.0])
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    yielder = Yielder()
    for _ in range(4):
        await yielder()
    assert rests == [REST_SECONDS, 0]
