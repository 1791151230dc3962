"""Good objects of every kind that the webhook judges: what mutations start from."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

from shared.model.types import Body
from tests.e2e.support.scenario import jobflow, targets, template
from webhook.server.routes import ROUTES, WebhookRoute

EXAMPLES: Final = Path("examples")


def flow_with_everything() -> Body:
    """A JobFlow that uses each primitive once."""
    steps = {
        "a": {"outputs": [{"name": "n", "task": "w", "container": "main", "key": "best"}]},
        "b": targets("a") | {"if": 'steps.a.outputs.n != ""', "retry": _RETRY, "activeDeadlineSeconds": 60},
        "c": targets("a", "b", strategy="any", condition="Ended") | {"switch": _SWITCH},
        "d": {"for": {"matrix": {"x": ["1", "2"], "y": ["3"]}, "parallelism": 2, "maxIterations": 9}},
        "e": {"for": {"items": [{"k": "v"}]}, "patch": _PATCH},
        "f": {"for": {"while": "index < 3 && last.phase != 'Failed'", "maxIterations": 10}, "allowFailure": True},
        "g": {"for": {"expression": "range(int(params.p))"}},
        "h": targets("d", probe=_PROBE) | {"daemon": True, "template": "a"},
    }
    last = [{"name": "z", "if": 'flow.outcome == "Failed"'}]
    spec = {"params": [{"name": "p", "value": "3"}], "parallelism": 4, "finally": last, "failureStrategy": "Continue"}
    return jobflow("default", "all", steps, jobRetainPolicy="delete", retry=_RETRY, **spec)


_RETRY: Final = {
    "limit": 2,
    "backoff": {"duration": "1s", "factor": 2, "maxDuration": "1m"},
    "if": "attempt.number < 2",
}
_SWITCH: Final = {"value": "steps.a.outputs.n", "cases": [{"when": ["1"], "run": ["d"]}], "default": ["e"]}
_PATCH: Final = {
    "jobSpec": {"minAvailable": 1, "tasks": [{"name": "w", "replicas": 2}]},
    "jsonPatch": [{"op": "replace", "path": "/tasks/0/replicas", "expression": "int(params.p)"}],
}
_PROBE: Final = {
    "httpGetList": [{"taskName": "w", "port": 80, "path": "/", "httpHeader": {"name": "a", "value": "b"}}],
    "tcpSocketList": [{"taskName": "w", "port": 81}],
    "taskStatusList": [{"taskName": "w", "phase": "Running"}],
}


def job() -> Body:
    task = template("default", "t", 1, 0, 2)["spec"]["tasks"][0] | {
        "policies": [
            {"events": ["PodFailed"], "action": "RestartTask", "timeout": "1m"},
            {"exitCode": 3, "action": "AbortJob"},
        ],
        "topologyPolicy": "none",
    }
    after = template("default", "t")["spec"]["tasks"][0] | {
        "name": "x",
        "dependsOn": {"name": ["w"], "iteration": "any"},
    }
    spec = {
        "tasks": [task, after],
        "plugins": {"svc": ["--publish-not-ready-addresses"], "env": [], "ssh": []},
        "volumes": [
            {
                "mountPath": "/v",
                "volumeClaim": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ],
        "queue": "default",
        "maxRetry": 3,
        "policies": [{"event": "PodEvicted", "action": "RestartJob"}],
    }
    return {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "metadata": _meta("j"), "spec": spec}


def others() -> Sequence[Body]:
    scheduling = "scheduling.volcano.sh/v1beta1"
    resources = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": 1}
    queue = {"weight": 2, "capability": resources, "deserved": resources, "guarantee": {"resource": {"cpu": 1}}}
    group = {"minMember": 2, "queue": "default", "minResources": resources, "minTaskMember": {"w": 1}}
    rule = {"name": "r", "expression": "object.metadata.name != ''", "message": "no"}
    policy = {
        "match": {"kinds": ["Job"], "namespaceSelector": {"matchLabels": {"a": "b"}}},
        "mode": "Enforce",
        "limits": {"maxSteps": 3},
        "allowed": {"images": ["*.example.com/*"]},
        "rules": [rule],
    }
    exception = {
        "policies": [{"name": "p", "rules": ["limits.maxSteps"]}],
        "match": {"kinds": ["JobFlow"], "names": ["f*"]},
        "expiresAt": "2099-01-01T00:00:00Z",
        "reason": "a test",
    }
    target = {"apiVersion": "flow.volcano.sh/v1alpha1", "kind": "JobFlow", "name": "f", "uid": "u"}
    return (
        {"apiVersion": scheduling, "kind": "Queue", "metadata": {"name": "q"}, "spec": queue},
        {"apiVersion": scheduling, "kind": "PodGroup", "metadata": _meta("g"), "spec": group},
        {
            "apiVersion": "policy.jobflow.dev/v1alpha1",
            "kind": "JobFlowPolicy",
            "metadata": {"name": "p"},
            "spec": policy,
        },
        {
            "apiVersion": "policy.jobflow.dev/v1alpha1",
            "kind": "JobFlowPolicyException",
            "metadata": _meta("x"),
            "spec": exception,
        },
        {
            "apiVersion": "bus.volcano.sh/v1alpha1",
            "kind": "Command",
            "metadata": _meta("c"),
            "action": "x",
            "target": target,
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": _meta("p"),
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    )


def _meta(name: str) -> Body:
    return {"name": name, "namespace": "default", "annotations": {"volcano.sh/jdb-min-available": "1"}}


@functools.cache
def objects() -> tuple[tuple[WebhookRoute, Body], ...]:
    """Every route with every good object of its kind: our own, and the examples that come with the project."""
    found = [flow_with_everything(), job(), template("default", "t"), *others()]
    for place in sorted(EXAMPLES.rglob("*.yaml")):
        found += [body for body in yaml.safe_load_all(place.read_text()) if isinstance(body, dict)]
    return tuple(
        (route, body)
        for route in ROUTES
        for body in found
        if (body.get("apiVersion"), body.get("kind")) == (route.kind.api_version, route.kind.kind)
    )


def review(route: WebhookRoute, body: Body, operation: str = "CREATE", old: Body | None = None) -> Body:
    """The AdmissionReview that kube-apiserver sends."""
    group, _, version = route.kind.api_version.rpartition("/")
    named = {"group": group, "version": version, "kind": route.kind.kind}
    meta = body.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    request = {
        "uid": "fuzz",
        "operation": operation,
        "kind": named,
        "resource": {"group": group, "version": version, "resource": route.kind.plural},
        "name": meta.get("name") if isinstance(meta.get("name"), str) else "",
        "namespace": "default" if route.kind.namespaced else "",
        "userInfo": {"username": "fuzz", "groups": ["system:authenticated"]},
        "object": None if operation == "DELETE" else body,
        "oldObject": old if old is not None else (body if operation == "DELETE" else None),
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
