"""Conditions of kinds whose status is known, for steps that give none. One row each, by group and kind."""

from collections.abc import Mapping
from typing import Final

import msgspec


class KnownKind(msgspec.Struct, frozen=True):
    """CEL over `object`. `running`: "" where a created object counts as running."""

    success: str
    failure: str
    message: str = ""
    running: str = ""


def _condition(name: str, status: str = "True") -> str:
    return f'object.?status.?conditions.orValue([]).exists(c, c.type == "{name}" && c.status == "{status}")'


def _conditions(success: str, failure: str) -> KnownKind:
    """Kinds that end with one of two conditions."""
    message = (
        "object.?status.?conditions.orValue([])"
        f'.filter(c, c.type == "{failure}" && c.status == "True").map(c, has(c.message) ? c.message : "").join("; ")'
    )
    return KnownKind(_condition(success), _condition(failure), message)


def _state(path: str, success: str, failure: tuple[str, ...], message: str) -> KnownKind:
    """Kinds whose status names one state."""
    field = f'object.?status.{path}.orValue("")'
    failed = ", ".join(f'"{one}"' for one in failure)
    return KnownKind(f'{field} == "{success}"', f"{field} in [{failed}]", f'object.?status.{message}.orValue("")')


_SUCCEEDED: Final = _conditions("Succeeded", "Failed")
_PIPELINE: Final = 'object.?status.?conditions.orValue([]).filter(c, c.type == "Succeeded" && c.status == "False")'

# Older operators call the deployment of a failed job Complete; while it is Retrying, the job has not failed for good.
_RAY_FAILURE: Final = (
    'object.?status.?jobDeploymentStatus.orValue("") in ["Failed", "ValidationFailed"]'
    ' || (object.?status.?jobDeploymentStatus.orValue("") == "Complete"'
    ' && object.?status.?jobStatus.orValue("") in ["FAILED", "STOPPED"])'
)

KNOWN_KINDS: Final[Mapping[tuple[str, str], KnownKind]] = {
    ("batch", "Job"): msgspec.structs.replace(
        _conditions("Complete", "Failed"), running="object.?status.?active.orValue(0) > 0"
    ),
    ("jobset.x-k8s.io", "JobSet"): _conditions("Completed", "Failed"),
    ("trainer.kubeflow.org", "TrainJob"): _conditions("Complete", "Failed"),
    ("kubeflow.org", "PyTorchJob"): _SUCCEEDED,
    ("kubeflow.org", "TFJob"): _SUCCEEDED,
    ("kubeflow.org", "MPIJob"): _SUCCEEDED,
    ("ray.io", "RayJob"): msgspec.structs.replace(
        _state("?jobDeploymentStatus", "Complete", ("Failed", "ValidationFailed"), "?message"), failure=_RAY_FAILURE
    ),
    ("sparkoperator.k8s.io", "SparkApplication"): _state(
        "?applicationState.?state", "COMPLETED", ("FAILED",), "?applicationState.?errorMessage"
    ),
    ("tekton.dev", "PipelineRun"): KnownKind(
        _condition("Succeeded"),
        _condition("Succeeded", "False"),
        f'{_PIPELINE}.map(c, has(c.message) ? c.message : "").join("; ")',
    ),
    ("argoproj.io", "Workflow"): _state("?phase", "Succeeded", ("Failed", "Error"), "?message"),
}
