"""What people do with kubectl."""

import subprocess
from pathlib import Path

import pytest
import yaml

from local.client.blocking import until
from local.demo import FILES
from shared.kinds import JOBFLOW
from tests.e2e.support.scenario import Scenario

KINDS = {
    "jobflows": "jf",
    "jobtemplates": "jt",
    "jobs": "vcjob",
    "podgroups": "podgroup",
    "queues": "q",
    "commands": "command",
}


def kubectl(scenario: Scenario, *arguments: str) -> str:
    return scenario.cluster.kubectl("-n", scenario.namespace, *arguments).stdout


def apply_example(scenario: Scenario, *files: Path) -> None:
    """Files of examples/, into the scenario's namespace."""
    for file in files:
        for document in yaml.safe_load_all(file.read_text()):
            document["metadata"]["namespace"] = scenario.namespace
            scenario.cluster.kubectl.apply(document)


def test_the_flow_of_the_documents_runs_to_its_end(scenario: Scenario) -> None:
    apply_example(scenario, *FILES)
    flow = scenario.succeeds("test")
    assert flow["status"]["progress"] == "5/5"
    scenario.waits_for_jobs(set())
    columns = kubectl(scenario, "get", "jf", "test").splitlines()
    assert columns[0].split() == ["NAME", "STATUS", "PROGRESS", "RUNNING", "FAILED", "AGE"]
    assert columns[1].split()[:3] == ["test", "Succeed", "5/5"]


def test_wait_for_the_completion_time(scenario: Scenario) -> None:
    scenario.templates("a")
    scenario.flow("f", {"a": ()})
    kubectl(scenario, "wait", "jf/f", "--for=jsonpath={.status.completionTime}", "--timeout=30s")
    kubectl(scenario, "wait", "jf/f", "--for=jsonpath={.status.state.phase}=Succeed", "--timeout=30s")


def test_get_watch_shows_the_progress_of_the_flow(scenario: Scenario) -> None:
    scenario.templates("a", seconds=60)  # statuses are at most 3 s old, and time runs ten times as fast
    scenario.flow("f", {"a": ()})
    command = [str(scenario.cluster.kubectl.tool), f"--kubeconfig={scenario.cluster.kubeconfig}"]
    command += ["-n", scenario.namespace, "get", "jf", "f", "-w", "-o", "jsonpath={.status.state.phase} "]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        try:
            scenario.succeeds("f")
            assert watching.stdout is not None
            reported = ""
            while "Succeed" not in reported:
                reported += watching.stdout.read(1)
        finally:
            watching.terminate()
    assert "Running" in reported


def test_describe_shows_spec_status_and_events(scenario: Scenario) -> None:
    scenario.templates("a")
    scenario.flow("f", {"a": ()})
    scenario.succeeds("f")
    reported = until(lambda: _with_events(kubectl(scenario, "describe", "jf", "f")), 20, lambda: "no events")
    assert "Phase:" in reported
    assert "StepCompleted" in reported


@pytest.mark.parametrize(("plural", "short"), KINDS.items())
def test_every_kind_is_listed_by_its_short_name(scenario: Scenario, plural: str, short: str) -> None:
    listed = kubectl(scenario, "api-resources", "--no-headers", "-o", "name")
    assert any(line.startswith(f"{plural}.") and "volcano.sh" in line for line in listed.splitlines())
    kubectl(scenario, "get", short)


def test_explain_shows_our_fields(scenario: Scenario) -> None:
    assert "targets" in kubectl(scenario, "explain", "jobflow.spec.flows.dependsOn")
    assert "DESCRIPTION" in kubectl(scenario, "explain", "jobflow.spec.flows.retry.limit")


def test_a_flow_is_suspended_by_patch_and_removed_by_delete(scenario: Scenario) -> None:
    scenario.templates("a", seconds=600)
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    kubectl(scenario, "patch", "jf", "f", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    kubectl(scenario, "delete", "jf", "f", "--wait=true", "--timeout=30s")
    assert scenario.kube.find(JOBFLOW, scenario.namespace, "f") is None
    scenario.nothing_left()


def test_applying_the_same_again_changes_nothing(scenario: Scenario) -> None:
    apply_example(scenario, *FILES)
    before = scenario.succeeds("test")
    apply_example(scenario, *FILES)
    assert scenario.get("test")["metadata"]["generation"] == before["metadata"]["generation"]


def _with_events(reported: str) -> str:
    return reported if "StepCompleted" in reported else ""
