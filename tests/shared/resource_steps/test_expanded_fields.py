"""Params and items reach the containers that come of a manifest byte for byte, and every other field as they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.podtemplate import expansion
from shared.resource_steps.expanded_fields import expanded_fields
from shared.substitution import substitute
from tests.shared.podtemplate.kubelet import expand

SECRETS = {"TOKEN": "s3cret", "A": "$(TOKEN)"}
DATA = st.text(alphabet="$()AB TOKEN{}`\\x", max_size=12) | st.text(max_size=8)

# E: a string that Kubernetes expands, D: one that it does not.
CONTAINER: dict[str, Any] = {
    "name": "main",
    "image": "D",
    "workingDir": "D",
    "command": ["sh", "-c", "E"],
    "args": ["E"],
    "env": [{"name": "X", "value": "E"}, {"name": "Y", "valueFrom": {"secretKeyRef": {"name": "D", "key": "D"}}}],
    "volumeMounts": [{"name": "v", "mountPath": "D", "subPath": "D"}, {"name": "v", "subPathExpr": "E"}],
    "livenessProbe": {"exec": {"command": ["E"]}},
    "readinessProbe": {"exec": {"command": ["E"]}, "httpGet": {"path": "D"}},
    "startupProbe": {"exec": {"command": ["E"]}},
    "lifecycle": {"postStart": {"exec": {"command": ["D"]}}, "preStop": {"exec": {"command": ["D"]}}},
}
POD: dict[str, Any] = {
    "metadata": {"labels": {"x": "D"}, "annotations": {"containers": "D", "args": "D"}},
    "spec": {
        "containers": [CONTAINER, CONTAINER],
        "initContainers": [CONTAINER],
        "ephemeralContainers": [CONTAINER],
        "hostname": "D",
        "nodeSelector": {"args": "D"},
        "volumes": [{"name": "v", "configMap": {"name": "D"}}, {"name": "h", "hostPath": {"path": "D"}}],
    },
}
INIT_ONLY = {"spec": {"initContainers": [CONTAINER]}}
MANIFESTS: dict[str, dict[str, Any]] = {
    "Pod": {"apiVersion": "v1", "kind": "Pod", **POD},
    "Job": {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": POD, "managedBy": "D"}},
    "CronJob": {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "spec": {"schedule": "D", "jobTemplate": {"metadata": {"labels": {"a": "D"}}, "spec": {"template": POD}}},
    },
    "Deployment": {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": POD}},
    "ConfigMap": {"apiVersion": "v1", "kind": "ConfigMap", "data": {"args": "D", "run.sh": "D", "containers": "D"}},
    "JobSet": {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "spec": {"replicatedJobs": [{"name": "w", "template": {"spec": {"template": POD}}}]},
    },
    "PyTorchJob": {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "spec": {"pytorchReplicaSpecs": {"Master": {"template": POD}, "Worker": {"template": POD}}},
    },
    "MPIJob": {
        "apiVersion": "kubeflow.org/v2beta1",
        "kind": "MPIJob",
        "spec": {"mpiReplicaSpecs": {"Launcher": {"template": POD}}, "sshAuthMountPath": "D"},
    },
    "TrainJob": {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "spec": {
            "runtimeRef": {"name": "D"},
            "trainer": {"image": "D", "command": ["E"], "args": ["E"], "env": [{"name": "A", "value": "E"}]},
            "initializer": {"dataset": {"storageUri": "D", "env": [{"name": "A", "value": "E"}]}},
            "podTemplateOverrides": [{"targetJobs": [{"name": "D"}], **INIT_ONLY}],
        },
    },
    "RayJob": {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "spec": {
            "entrypoint": "E",
            "runtimeEnvYAML": "E",
            "jobId": "D",
            "submitterPodTemplate": POD,
            "rayClusterSpec": {
                "rayVersion": "D",
                "headGroupSpec": {"rayStartParams": {"dashboard-host": "E"}, "template": POD},
                "workerGroupSpecs": [{"groupName": "D", "rayStartParams": {"num-cpus": "E"}, "template": POD}],
            },
        },
    },
    "RayJob over HTTP": {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "spec": {"submissionMode": "HTTPMode", "entrypoint": "D", "runtimeEnvYAML": "D"},
    },
    "SparkApplication": {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "spec": {
            "mainApplicationFile": "D",
            "arguments": ["E", "--day", "E"],
            "sparkConf": {"spark.x": "D"},
            "driver": {"env": [{"name": "A", "value": "E"}], "envVars": {"B": "E"}, "sidecars": [CONTAINER]},
            "executor": {"initContainers": [CONTAINER], "labels": {"a": "D"}, "template": POD},
        },
    },
    "PipelineRun": {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "spec": {
            "params": [{"name": "p", "value": "D"}],
            "pipelineSpec": {"tasks": [{"name": "t", "taskSpec": {"steps": [CONTAINER], "sidecars": [CONTAINER]}}]},
        },
    },
    "Workflow": {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {
            "arguments": {"parameters": [{"name": "p", "value": "D"}]},
            "templates": [
                {"name": "a", "container": CONTAINER, "initContainers": [CONTAINER]},
                {"name": "b", "script": {"source": "D", "command": ["E"], "env": [{"name": "X", "value": "E"}]}},
                {"name": "c", "containerSet": {"containers": [CONTAINER]}},
            ],
        },
    },
    "Volcano Job": {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "spec": {"tasks": [{"name": "w", "template": POD}], "plugins": {"svc": ["D"]}},
    },
    "a kind that nobody knows": {
        "apiVersion": "x.dev/v1",
        "kind": "Thing",
        "spec": {"args": ["D"], "command": "D", "env": [{"value": "D"}], "groups": {"a": [{"deep": POD}]}},
    },
}


def filled(value: Any, **texts: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, **texts) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, **texts) for item in value]
    return texts.get(value, value)


def made(manifest: dict[str, Any], data: str) -> Any:
    template = filled(manifest, D="<$(params.p)>", E="<$(params.p)> $(TOKEN)")
    marked = substitute(template, lambda _: expansion.as_data(data)).value
    return expansion.resolve(marked, expanded_fields(template))


@pytest.mark.parametrize("kind", MANIFESTS)
@given(data=DATA)
def test_containers_get_every_value_byte_for_byte(kind: str, data: str) -> None:
    data = data.translate({0xDC00: "\ufffd", 0xDC01: "\ufffd"})
    escaped = f"<{data.replace('$', '$$')}> $(TOKEN)"
    assert expand(escaped, SECRETS) == f"<{data}> s3cret"
    assert made(MANIFESTS[kind], data) == filled(MANIFESTS[kind], D=f"<{data}>", E=escaped)


@pytest.mark.parametrize("kind", ["Pod", "a kind that nobody knows", "SparkApplication"])
def test_a_placeholder_inside_an_open_reference_is_found(kind: str) -> None:
    template = filled(MANIFESTS[kind], D="$(TOK$(params.p))", E="$(TOK$(params.p))")
    wanted = [
        place
        for place, text in expansion.expanded_texts(filled(MANIFESTS[kind], E="!"), expanded_fields(template))
        if text == "!"
    ]
    assert [place for place, _ in expansion.open_placeholders(template, expanded_fields(template))] == wanted
    assert wanted
