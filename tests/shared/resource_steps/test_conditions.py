"""Conditions of known kinds on statuses as their controllers write them, and conditions without a value."""

from typing import Any

import pytest

from shared.model.step import StepResource
from shared.resource_steps.conditions import Reading, problems, read_conditions, read_output
from shared.resource_steps.known_kinds import KNOWN_KINDS


def condition(kind: str, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"conditions": [{"type": "Other", "status": "False"}, {"type": kind, "status": status, **more}]}


SUCCESS: dict[str, dict[str, Any]] = {
    "Job": condition("Complete"),
    "JobSet": condition("Completed"),
    "TrainJob": condition("Complete"),
    "PyTorchJob": condition("Succeeded"),
    "TFJob": condition("Succeeded"),
    "MPIJob": condition("Succeeded"),
    "RayJob": {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"},
    "SparkApplication": {"applicationState": {"state": "COMPLETED"}},
    "PipelineRun": condition("Succeeded"),
    "Workflow": {"phase": "Succeeded"},
}
FAILURE: dict[str, dict[str, Any]] = {
    "Job": condition("Failed", message="why"),
    "JobSet": condition("Failed", message="why"),
    "TrainJob": condition("Failed", message="why"),
    "PyTorchJob": condition("Failed", message="why"),
    "TFJob": condition("Failed", message="why"),
    "MPIJob": condition("Failed", message="why"),
    "RayJob": {"jobDeploymentStatus": "Failed", "message": "why"},
    "SparkApplication": {"applicationState": {"state": "FAILED", "errorMessage": "why"}},
    "PipelineRun": condition("Succeeded", "False", message="why"),
    "Workflow": {"phase": "Error", "message": "why"},
}


def known(kind: str) -> StepResource:
    group = next(group for group, each in KNOWN_KINDS if each == kind)
    return StepResource(manifest={"apiVersion": f"{group}/v1", "kind": kind})


def read(kind: str, status: dict[str, Any] | None) -> Reading:
    return read_conditions(known(kind), {"metadata": {}} | ({} if status is None else {"status": status}))


def test_every_known_kind_is_in_both_tables() -> None:
    assert {kind for _, kind in KNOWN_KINDS} == SUCCESS.keys() == FAILURE.keys()


@pytest.mark.parametrize("kind", SUCCESS)
def test_a_known_kind_says_when_it_has_succeeded_failed_or_neither(kind: str) -> None:
    good, bad = read(kind, SUCCESS[kind]), read(kind, FAILURE[kind])
    assert (good.succeeded, good.failed, good.fault) == (True, False, "")
    assert (bad.succeeded, bad.failed, bad.message) == (False, True, "why")
    for status in (None, {}, condition("Complete", "False"), condition("Succeeded", "Unknown"), {"phase": "Running"}):
        going = read(kind, status)
        assert (going.succeeded, going.failed, going.fault) == (False, False, "")


@pytest.mark.parametrize(
    ("deployment", "job", "succeeded", "failed"),
    [
        ("Complete", "SUCCEEDED", True, False),
        ("Complete", "FAILED", False, True),
        ("Complete", "STOPPED", False, True),
        ("Retrying", "FAILED", False, False),
        ("ValidationFailed", "", False, True),
        ("Running", "RUNNING", False, False),
    ],
)
def test_a_ray_job_has_ended_once_its_deployment_has(
    deployment: str, job: str, *, succeeded: bool, failed: bool
) -> None:
    found = read("RayJob", {"jobDeploymentStatus": deployment, "jobStatus": job})
    assert (found.succeeded, found.failed) == (succeeded, failed)


def test_a_job_of_kubernetes_runs_once_it_has_active_pods() -> None:
    assert [read("Job", status).running for status in ({}, {"active": 0}, {"active": 1})] == [False, False, True]


def test_the_defaults_compile() -> None:
    for (group, kind), row in KNOWN_KINDS.items():
        written = StepResource(
            manifest={"apiVersion": f"{group}/v1", "kind": kind},
            success=row.success,
            failure=row.failure,
            message=row.message,
            running=row.running or "true",
        )
        assert list(problems(written)) == []


def ends(success: str, failure: str = "false") -> StepResource:
    return StepResource(manifest={"apiVersion": "x/v1", "kind": "X"}, success=success, failure=failure)


def test_a_condition_without_a_value_does_not_hold_and_is_told() -> None:
    found = read_conditions(ends("object.status.done"), {})
    assert (found.succeeded, found.failed) == (False, False)
    assert found.fault.startswith("success: no such key")


def test_a_condition_that_holds_hides_the_fault_of_another() -> None:
    assert read_conditions(ends("object.status.done", "true"), {}) == Reading(failed=True, running=True)


def test_failure_counts_where_both_hold() -> None:
    found = read_conditions(ends("true", "true"), {})
    assert (found.succeeded, found.failed) == (False, True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("object.a", "x"), ("object.n", "3"), ("object.b", "true"), ("[1]", "[1]"), ("object.no", None), ("null", None)],
)
def test_an_output_is_text_or_json(text: str, wanted: str | None) -> None:
    assert read_output(text, {"a": "x", "n": 3, "b": True}) == wanted
