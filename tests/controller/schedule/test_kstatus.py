"""Statuses of schedules and templates as kstatus reads them: the rules that helm --wait, Flux and kubectl plugins use."""

from typing import Any

import pytest

from controller.cronjob.decide import decide as decide_cron_job
from controller.cronjobflow.decide import decide as decide_cron_job_flow
from controller.decision import Decision, Refusal
from controller.flowtemplate.decide import TemplateSeen
from controller.flowtemplate.decide import decide as decide_template
from shared.kinds import JOB
from shared.model.types import Body
from shared.timestamp import epoch, rfc3339

NOW = epoch("2026-03-28T01:30:02Z")
METADATA: Body = {
    "name": "s",
    "namespace": "ns1",
    "uid": "u1",
    "generation": 4,
    "creationTimestamp": "2026-03-28T00:00:00Z",
}
TASKS: Body = {"spec": {"tasks": [{"name": "w", "replicas": 1}]}}
FLOW: Body = {"flows": [{"name": "a", "template": "work"}]}
DUE = f"s-{int(epoch('2026-03-28T01:30:00Z')) // 60}"


def kstatus(body: Body) -> str:
    """The rules of kstatus for objects of kinds that it does not know."""
    status = body.get("status") or {}
    if "observedGeneration" in status and status["observedGeneration"] != body["metadata"]["generation"]:
        return "InProgress"
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "InProgress" if conditions.get("Ready") in ("False", "Unknown") else "Current"


def with_status(spec: Body, decision: Decision) -> Body:
    return {"metadata": METADATA, "spec": spec, "status": decision.status}


def cron_job(refused: bool = False, **more: Any) -> Body:
    spec = {"schedule": "30 1 * * *", "jobTemplate": TASKS, **more}
    refusals = {(JOB, DUE): Refusal(403, "no", NOW - 1)} if refused else {}
    return with_status(spec, decide_cron_job({"metadata": METADATA, "spec": spec}, [], refusals, NOW))


def cron_job_flow(template: Body | None = None, **more: Any) -> Body:
    spec = {"schedules": ["30 1 * * *"], "template": {"name": "t"}, **more}
    return with_status(spec, decide_cron_job_flow({"metadata": METADATA, "spec": spec}, template, [], {}, NOW))


def flow_template(flow: Body, *existing: str) -> Body:
    spec = {"flow": flow}
    seen = TemplateSeen({"metadata": METADATA, "spec": spec}, frozenset(existing))
    return with_status(spec, decide_template(seen, NOW))


READ = {
    "a CronJob that is followed": (cron_job(), "Current"),
    "a suspended CronJob": (cron_job(suspend=True), "Current"),
    "a CronJob whose Job is refused": (cron_job(refused=True), "InProgress"),
    "a CronJob in a zone that there is not": (cron_job(timeZone="Mars/X"), "Failed"),
    "a CronJob that is never due": (cron_job(schedule="0 0 30 2 *"), "Failed"),
    "a CronJobFlow with its template": (cron_job_flow({"spec": {"flow": FLOW}}), "Current"),
    "a CronJobFlow before its template": (cron_job_flow(), "InProgress"),
    "a CronJobFlow in a zone that there is not": (cron_job_flow(timeZone="Mars/X"), "Failed"),
    "a template with all that it names": (flow_template(FLOW, "work"), "Current"),
    "a template before its JobTemplate": (flow_template(FLOW), "InProgress"),
    "a template without steps": (flow_template({"flows": []}), "Failed"),
}


@pytest.mark.parametrize(("body", "expected"), READ.values(), ids=READ.keys())
def test_what_kstatus_reads(body: Body, expected: str) -> None:
    assert kstatus(body) == expected
    assert kstatus({**body, "metadata": {**METADATA, "generation": 5}}) == "InProgress", (
        "after an edit, until it is seen"
    )


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    first = cron_job(timeZone="Mars/X")
    spec = {**first["spec"], "timeZone": "Mars/Y"}
    later = decide_cron_job({**first, "spec": spec, "metadata": {**METADATA, "generation": 5}}, [], {}, NOW + 60)

    assert later.status is not None
    assert {each["lastTransitionTime"] for each in later.status["conditions"]} == {rfc3339(NOW)}
    assert all("Mars/Y" in each["message"] for each in later.status["conditions"])
