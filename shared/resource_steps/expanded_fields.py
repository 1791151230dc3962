"""The fields of a manifest that become fields of pods in which Kubernetes expands `$(NAME)` and `$$`.

A map with `spec.containers` or `spec.initContainers` is a pod template in every kind, known or not: a Pod, and what Jobs,
Deployments, CronJobs, JobSets, PyTorchJobs, RayJobs and others hold at some depth. The table adds the fields from which the
operators of known kinds make commands, arguments and variables of containers. All other fields are not expanded.
"""

from collections.abc import Mapping
from typing import Final

from shared.model.types import Body
from shared.podtemplate.expansion import ANY, CONTAINER, PODS, TEXT, Shape

_ENV: Final[Shape] = [{"value": TEXT}]
_TEXTS: Final[Shape] = {ANY: TEXT}
_RAY_GROUP: Final[Shape] = {"rayStartParams": _TEXTS, ANY: PODS}
_RAY: Final[Shape] = {
    "spec": {
        "rayClusterSpec": {"headGroupSpec": _RAY_GROUP, "workerGroupSpecs": [_RAY_GROUP], ANY: PODS},
        ANY: PODS,
    },
    ANY: PODS,
}
_RAY_SUBMITTED: Final = ("", "K8sJobMode", "SidecarMode")
"""The values of `submissionMode` with which a container runs the entrypoint; else the operator sends it over HTTP."""
_RAY_IN_POD: Final[Shape] = {
    **_RAY,
    "spec": {**_RAY["spec"], "entrypoint": TEXT, "runtimeEnvYAML": TEXT, "metadata": _TEXTS},
}
_SPARK_POD: Final[Shape] = {
    "env": _ENV,
    "envVars": _TEXTS,
    "initContainers": [CONTAINER],
    "sidecars": [CONTAINER],
    ANY: PODS,
}
_TEKTON_TASK: Final[Shape] = {
    "taskSpec": {"steps": [CONTAINER], "sidecars": [CONTAINER], "stepTemplate": CONTAINER, ANY: PODS},
    ANY: PODS,
}
_ARGO_TEMPLATE: Final[Shape] = {
    "container": CONTAINER,
    "script": CONTAINER,
    "initContainers": [CONTAINER],
    "sidecars": [CONTAINER],
    "containerSet": {"containers": [CONTAINER], ANY: PODS},
    ANY: PODS,
}
_FIELDS: Final[Mapping[tuple[str, str], Shape]] = {
    ("sparkoperator.k8s.io", "SparkApplication"): {
        "spec": {"arguments": [TEXT], "driver": _SPARK_POD, "executor": _SPARK_POD, ANY: PODS},
        ANY: PODS,
    },
    ("trainer.kubeflow.org", "TrainJob"): {
        "spec": {
            "trainer": {"command": [TEXT], "args": [TEXT], "env": _ENV, ANY: PODS},
            "initializer": {ANY: {"env": _ENV, ANY: PODS}},
            ANY: PODS,
        },
        ANY: PODS,
    },
    ("tekton.dev", "PipelineRun"): {
        "spec": {"pipelineSpec": {"tasks": [_TEKTON_TASK], "finally": [_TEKTON_TASK], ANY: PODS}, ANY: PODS},
        ANY: PODS,
    },
    ("argoproj.io", "Workflow"): {
        "spec": {"templates": [_ARGO_TEMPLATE], "templateDefaults": _ARGO_TEMPLATE, ANY: PODS},
        ANY: PODS,
    },
}


def expanded_fields(manifest: Body) -> Shape:
    """Where Kubernetes expands strings of the manifest, in the pods that come of it."""
    api_version, kind = str(manifest.get("apiVersion", "")), manifest.get("kind")
    group = api_version.partition("/")[0] if "/" in api_version else ""
    if (group, kind) == ("ray.io", "RayJob"):
        spec = manifest.get("spec")
        mode = spec.get("submissionMode") if isinstance(spec, dict) else None
        return _RAY_IN_POD if (mode or "") in _RAY_SUBMITTED else _RAY
    return _FIELDS.get((group, str(kind)), PODS)
