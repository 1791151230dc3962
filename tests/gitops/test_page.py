"""The health checks of docs/gitops.md, run as Argo CD (Lua 5.1) and Flux (CEL) run them, on objects of every phase."""

from collections.abc import Iterator
from typing import Final

import pytest

from shared.model.phases import FlowPhase, JobPhase, QueueState
from shared.model.types import Body
from tests.gitops.checks import argo, flux

FLUX: Final = {"Healthy": "current", "Suspended": "current", "Degraded": "failed", "Progressing": "inProgress"}


def flow(phase: str) -> Body:
    return {
        "spec": {"flows": []},
        "status": {"state": {"phase": phase}, "next": [{"name": "b", "waitingFor": ["step a"]}]},
    }


def job(phase: str) -> Body:
    return {"spec": {}, "status": {"state": {"phase": phase, "message": "why"}}}


def schedule(ready: str, suspend: bool = False) -> Body:
    condition = {"type": "Ready", "status": ready, "message": "why"}
    return {"spec": {"suspend": suspend}, "status": {"conditions": [{"type": "Other", "status": "True"}, condition]}}


FLOWS: Final = {"Succeed": "Healthy", "Failed": "Degraded", "Suspended": "Suspended"}
JOBS: Final = {
    "Completed": "Healthy", "Failed": "Degraded", "Terminated": "Degraded", "Aborting": "Suspended", "Aborted": "Suspended",
}  # fmt: skip
QUEUES: Final = {"Open": "Healthy", "Closed": "Suspended", "Closing": "Progressing", "Unknown": "Progressing"}


READY: Final = (
    ("CronJobFlow", "flow.jobflow.dev"),
    ("CronJob", "batch.volcano.sh"),
    ("JobFlowTemplate", "flow.jobflow.dev"),
    ("CronJobFlowBackfill", "flow.jobflow.dev"),
)


def cases() -> Iterator[tuple[str, str, Body, str]]:
    """API group, kind, object, what Argo CD must say."""
    for kind, group in (("JobFlow", "flow.volcano.sh"), ("Job", "batch.volcano.sh")):
        yield group, kind, {"spec": {}, "status": {}}, "Progressing"
        yield group, kind, {"spec": {}, "status": {"state": {}}}, "Progressing"
    for phase in FlowPhase:
        yield "flow.volcano.sh", "JobFlow", flow(phase), FLOWS.get(phase, "Progressing")
    for each in JobPhase:
        yield "batch.volcano.sh", "Job", job(each), JOBS.get(each, "Progressing")
    for kind, group in READY:
        yield group, kind, schedule("True"), "Healthy"
        yield group, kind, schedule("False"), "Degraded"
        yield group, kind, schedule("Unknown"), "Progressing"
        yield group, kind, {"spec": {}, "status": {}}, "Progressing"
    for state in QueueState:
        yield "scheduling.volcano.sh", "Queue", {"spec": {}, "status": {"state": state}}, QUEUES[state]
    yield "scheduling.volcano.sh", "Queue", {"spec": {}, "status": {}}, "Healthy"


CASES: Final = list(cases())


@pytest.mark.parametrize(("group", "kind", "body", "expected"), CASES, ids=lambda value: str(value)[:60])
def test_argo_cd_reports_the_health_of_every_phase(group: str, kind: str, body: Body, expected: str) -> None:
    found = argo(group, kind, body)
    assert found["status"] == expected
    assert isinstance(found["message"], str)


@pytest.mark.parametrize(("group", "kind", "body", "expected"), CASES, ids=lambda value: str(value)[:60])
def test_flux_reports_the_status_of_every_phase(group: str, kind: str, body: Body, expected: str) -> None:
    wanted = FLUX[expected]
    if kind == "Job" and body["status"].get("state", {}).get("phase") == "Aborting":
        wanted = "inProgress"  # Flux has no word for it, and it is about to be Aborted
    assert flux(kind, body) == wanted


def test_a_suspended_schedule_is_suspended_for_argo_cd() -> None:
    assert argo("flow.jobflow.dev", "CronJobFlow", schedule("True", suspend=True))["status"] == "Suspended"


def test_the_message_of_a_flow_says_what_it_waits_for() -> None:
    assert argo("flow.volcano.sh", "JobFlow", flow("Running"))["message"] == "b: step a"
