"""A Job waits for names that are taken, reports their owners, and continues as soon as they are free."""

from typing import Any

from local.client.blocking import until
from shared.kinds import CONFIGMAP, EVENT, JOB, JOBFLOW, POD, SECRET, SERVICE, Kind
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario


def job(namespace: str, **spec: Any) -> Body:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", "sleep 4000"]}
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 60, "containers": [container]}
    return {
        "apiVersion": JOB.api_version,
        "kind": "Job",
        "metadata": {"name": "j", "namespace": namespace},
        "spec": {"tasks": [{"name": "w", "replicas": 2, "template": {"spec": pod}}], **spec},
    }


def state(scenario: Scenario) -> Body:
    found: Body = (scenario.kube.get(JOB, scenario.namespace, "j").get("status") or {}).get("state") or {}
    return found


def reaches(scenario: Scenario, seconds: float = 60, **wanted: str) -> Body:
    return until(
        lambda: found if wanted.items() <= (found := state(scenario)).items() else None,
        seconds,
        lambda: f"state is {state(scenario)}",
    )


def test_all_conflicting_objects_are_named_and_the_job_starts_when_they_are_gone(scenario: Scenario) -> None:
    def taken(kind: Kind, name: str) -> None:
        scenario.kube.create(
            kind,
            {
                "apiVersion": kind.api_version,
                "kind": kind.kind,
                "metadata": {"name": name, "namespace": scenario.namespace},
            },
        )

    taken(CONFIGMAP, "j-svc")
    taken(SECRET, "j-ssh")
    scenario.kube.create(JOB, job(scenario.namespace, plugins={"svc": [], "ssh": []}))
    until(
        lambda: "ConfigMap" in state(scenario).get("message", "") and "Secret" in state(scenario)["message"],
        30,
        lambda: f"state is {state(scenario)}",
    )
    assert state(scenario)["reason"] == "PluginConflict"
    scenario.reports_once("PluginConflict")
    scenario.kube.delete(CONFIGMAP, scenario.namespace, "j-svc")
    scenario.kube.delete(SECRET, scenario.namespace, "j-ssh")
    reaches(scenario, 6, phase="Running")


def test_a_service_of_another_owner_is_named_in_the_job_the_flow_and_events(scenario: Scenario) -> None:
    owner = scenario.kube.create(
        CONFIGMAP,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "o", "namespace": scenario.namespace}},
    )
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": owner["metadata"]["uid"]}
    metadata = {"namespace": scenario.namespace, "ownerReferences": [{**reference, "controller": True}]}
    ports = {"ports": [{"port": 80}]}
    for name, meta, selector in (
        ("f-owned", metadata, {}),
        ("f-other", {"namespace": scenario.namespace}, {"selector": {"app": "mine"}}),
    ):
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {**meta, "name": name}, "spec": ports | selector}
        scenario.kube.create(SERVICE, body)
    scenario.templates("work")
    patch = {"jobSpec": {"plugins": {"svc": []}}}
    scenario.flow("f", {name: {"template": "work", "patch": patch} for name in ("owned", "other")})
    said = {
        "f-owned": "Service f-owned exists and belongs to ConfigMap o",
        "f-other": "Service f-other exists and selects other pods than the Job's",
    }

    for name, words in said.items():
        job = scenario.cluster.wait_for(
            JOB, scenario.namespace, name, lambda job, words=words: words in str(job.get("status")), 30
        )
        assert job["status"]["state"]["reason"] == "PluginConflict"

    def are_reported() -> bool:
        events = [each for each in scenario.kube.list(EVENT, scenario.namespace) if each["reason"] == "PluginConflict"]
        reported = {each["involvedObject"]["name"]: each["message"] for each in events}
        return all(words in reported.get(name, "") for name, words in said.items())

    until(are_reported, 20, lambda: "no event names the conflict")
    flow = scenario.cluster.wait_for(
        JOBFLOW,
        scenario.namespace,
        "f",
        lambda flow: (
            "belongs to ConfigMap o"
            in str((flow.get("status") or {}).get("next")) + str((flow.get("status") or {}).get("steps"))
        ),
        20,
    )
    assert flow["status"]["state"]["reason"] == "PluginConflict"
    for name in said:
        scenario.kube.delete(SERVICE, scenario.namespace, name)
    scenario.succeeds("f")


def test_a_job_waits_for_the_pods_of_an_earlier_job_of_its_name(scenario: Scenario) -> None:
    scenario.kube.create(JOB, job(scenario.namespace))
    reaches(scenario, phase="Running")
    held = scenario.kube.list(POD, scenario.namespace)
    for pod in held:
        change = {"metadata": {"finalizers": ["jobflow.dev/test"]}}
        scenario.kube.patch(POD, scenario.namespace, pod["metadata"]["name"], change)
    scenario.kube.delete(JOB, scenario.namespace, "j")
    scenario.kube.wait_gone(JOB, scenario.namespace, "j")
    scenario.kube.create(JOB, job(scenario.namespace))
    found = reaches(scenario, reason="WaitingForDeletion")
    assert "delete or rename" not in found["message"]
    assert "waiting until it is gone" in found["message"]
    for pod in held:
        scenario.kube.patch(POD, scenario.namespace, pod["metadata"]["name"], {"metadata": {"finalizers": None}})
    reaches(scenario, phase="Running")
