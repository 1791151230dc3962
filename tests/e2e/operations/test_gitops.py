"""The health checks of docs/gitops.md on objects that the API server has stored."""

from typing import Final

from shared.kinds import CRONJOBFLOW, JOB, JOBFLOW, JOBFLOWTEMPLATE, QUEUE, Kind
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, phase
from tests.gitops.checks import argo, flux

TEMPLATE: Final[Body] = {
    "apiVersion": JOBFLOWTEMPLATE.api_version,
    "kind": "JobFlowTemplate",
    "spec": {"flow": {"flows": [{"name": "a"}]}},
}
SCHEDULE: Final[Body] = {"apiVersion": CRONJOBFLOW.api_version, "kind": "CronJobFlow"}
EXPECTED: Final = {
    "right": ("Healthy", "current"),
    "wrong": ("Degraded", "failed"),
    "later": ("Suspended", "current"),
}


def health(kind: Kind, body: Body) -> tuple[str, str]:
    return argo(kind.group, kind.kind, body)["status"], flux(kind.kind, body)


def test_flows_and_their_jobs(scenario: Scenario) -> None:
    scenario.templates("ok", seconds=0.1)
    scenario.templates("bad", seconds=0.1, code=1)
    scenario.templates("long", seconds=2000)
    for name, step, more in (
        ("good", "ok", {}),
        ("wrong", "bad", {}),
        ("held", "ok", {"suspend": True}),
        ("busy", "long", {}),
    ):
        scenario.flow(name, {step: ()}, **more)
    assert health(JOBFLOW, scenario.ended("good")) == ("Healthy", "current")
    assert health(JOBFLOW, scenario.ended("wrong")) == ("Degraded", "failed")
    assert health(JOBFLOW, scenario.reaches("busy", "long", "Running")) == ("Progressing", "inProgress")
    held = scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "held", lambda flow: phase(flow) == "Suspended")
    assert health(JOBFLOW, held) == ("Suspended", "current")
    jobs = {name: health(JOB, job) for name, job in scenario.jobs().items()}
    assert jobs == {
        "good-ok": ("Healthy", "current"),
        "wrong-bad": ("Degraded", "failed"),
        "busy-long": ("Progressing", "inProgress"),
    }


def test_schedules_and_queues(scenario: Scenario) -> None:
    scenario.templates("a")
    kube, namespace = scenario.kube, scenario.namespace
    meta = {"name": "there", "namespace": namespace}
    kube.create(JOBFLOWTEMPLATE, {**TEMPLATE, "metadata": meta})
    for name, template, suspend in (("right", "there", False), ("wrong", "missing", False), ("later", "there", True)):
        spec = {"schedules": ["0 0 1 1 *"], "template": {"name": template}, "suspend": suspend}
        kube.create(CRONJOBFLOW, {**SCHEDULE, "metadata": {"name": name, "namespace": namespace}, "spec": spec})

    def observed(body: Body) -> bool:
        return bool((body.get("status") or {}).get("conditions"))

    found = {name: health(CRONJOBFLOW, kube.wait(CRONJOBFLOW, namespace, name, observed)) for name in EXPECTED}
    assert found == EXPECTED
    assert health(QUEUE, kube.get(QUEUE, "", "default")) == ("Healthy", "current")
