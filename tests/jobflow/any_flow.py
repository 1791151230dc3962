"""Random JobFlows with steps of every kind, and random specs of JobTemplates."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from shared import kinds
from shared.model.types import Body
from tests.controller.jobflow.checked_cluster import FLOWS
from webhook.lint.check import admit
from webhook.subject.lookups import OfflineLookups


def _pods() -> st.SearchStrategy[Body]:
    container = st.fixed_dictionaries(
        {"name": st.sampled_from(["main", "other"]), "image": st.sampled_from(["busybox", "a/b:1", "$(params.image)"])},
        optional={
            "command": st.lists(_TEXTS, min_size=1, max_size=3) | st.builds(lambda text: ["sh", "-c", text], _TEXTS),
            "args": st.lists(_TEXTS, max_size=2),
            "env": st.lists(
                st.fixed_dictionaries({"name": st.sampled_from("AB"), "value": _TEXTS})
                | st.just({"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
                max_size=3,
            ),
            "resources": st.sampled_from(
                [
                    {"requests": {"cpu": "1", "memory": "1Gi"}},
                    {"requests": {"cpu": 1}},
                    {"limits": {"nvidia.com/gpu": "2"}},
                    {"limits": {"nvidia.com/gpu": 2, "cpu": "1"}},
                ]
            ),
            "imagePullPolicy": st.just("Always"),
        },
    )
    spec = st.fixed_dictionaries(
        {"containers": st.lists(container, min_size=1, max_size=2, unique_by=lambda each: each["name"])},
        optional={
            "restartPolicy": st.sampled_from(["Never", "OnFailure"]),
            "nodeSelector": st.just({"disk": "ssd"}),
            "serviceAccountName": st.just("runner"),
            "tolerations": st.just([{"key": "gpu", "operator": "Exists"}]),
            "imagePullSecrets": st.just([{"name": "registry"}]),
            "volumes": st.just([{"name": "v", "emptyDir": {}}]),
        },
    )
    return st.fixed_dictionaries({"spec": spec}, optional={"metadata": st.just({"labels": {"role": "worker"}})})


_TEXTS: Final = st.sampled_from(
    ["work", "a b", "$(params.image)", "echo $HOME; exit 1", 'say "hi"\nand more', "it's", "a\\b", "é"]
)
_POLICIES: Final = st.sampled_from(
    [
        [{"event": "PodFailed", "action": "RestartJob"}],
        [{"events": ["PodFailed", "PodEvicted"], "action": "RestartJob"}, {"exitCode": 3, "action": "AbortJob"}],
        [{"event": "PodFailed", "action": "RestartTask", "timeout": "10s"}],
    ]
)


@st.composite
def job_specs(draw: st.DrawFn) -> Body:
    names = draw(st.sampled_from([["main"], ["worker"], ["master", "worker"]]))
    optional = {"policies": _POLICIES, "minAvailable": st.just(1), "maxRetry": st.integers(0, 3)}
    tasks = []
    for place, name in enumerate(names):
        more = draw(st.fixed_dictionaries({"template": _pods()}, optional={**optional, "replicas": st.integers(1, 3)}))
        depends = {"dependsOn": {"name": ["master"], "condition": "Ready"}} if place and draw(st.booleans()) else {}
        tasks.append({"name": name, **more, **depends})
    fields = st.fixed_dictionaries(
        {},
        optional={
            **optional,
            "queue": st.just("q"),
            "plugins": st.sampled_from([{"svc": [], "env": []}, {"ssh": ["--ssh-port=22"]}, {"svc": None}]),
            "volumes": st.sampled_from(
                [
                    [{"mountPath": "/a", "volumeClaimName": "c"}],
                    [
                        {
                            "mountPath": "/b",
                            "volumeClaim": {
                                "accessModes": ["ReadWriteOnce"],
                                "resources": {"requests": {"storage": 1}},
                            },
                        }
                    ],
                    [{"mountPath": "/a", "volumeClaimName": "c"}, {"mountPath": "/a", "volumeClaimName": "d"}],
                ]
            ),
            "ttlSecondsAfterFinished": st.integers(0, 9),
            "priorityClassName": st.just("high"),
        },
    )
    return {"tasks": tasks, **draw(fields)}


_APPROVALS: Final = st.fixed_dictionaries(
    {},
    optional={
        "message": _TEXTS,
        "timeout": st.sampled_from(["24h", "90s", "1h30m"]),
        "onTimeout": st.sampled_from(["Reject", "Approve"]),
    },
)

_RESOURCES: Final = st.fixed_dictionaries(
    {
        "manifest": st.just(
            {"apiVersion": "batch/v1", "kind": "Job", "spec": {"parallelism": 2, "image": "$(params.image)"}}
        )
    },
    optional={
        "success": st.just("object.status.succeeded > 1"),
        "failure": st.just("has(object.status.failed)"),
        "message": st.just('"it says \\"no\\""'),
        "running": st.just("true"),
        "terminate": st.just({"patch": [{"op": "replace", "path": "/spec/suspend", "value": True}]}),
    },
)
_KINDS_OF_STEPS: Final = ("job", "job", "template", "flow", "flow template", "resource")
_ASKING: Final = ("name", "dependsOn", "if", "allowFailure")
"""Fields that a step with `approve` may have besides."""
_PARAMS: Final = (
    [{"name": "image", "value": "busybox"}],
    [{"name": "image"}],
    [{"name": "image"}, {"name": "day", "value": ""}],
)


@st.composite
def _of_other_kinds(draw: st.DrawFn, spec: Body, level: int = 1) -> Body:
    """The flow with some steps that wait for people, and some that run flows, which can have both again."""
    return {
        **spec,
        **{
            listed: [draw(_of_any_kind(step, kinds_of_steps, level)) for step in spec[listed]]
            for listed, kinds_of_steps in (("flows", (*_KINDS_OF_STEPS, "approve")), ("finally", _KINDS_OF_STEPS))
            if listed in spec
        },
    }


@st.composite
def _of_any_kind(draw: st.DrawFn, step: Body, known: Sequence[str], level: int) -> Body:
    kind = draw(st.sampled_from(known))
    if "switch" in step or "daemon" in step or "probe" in step.get("dependsOn", {}) or kind == "job":
        return step
    if kind == "template":
        return {**step, "template": draw(st.sampled_from(["one", "two", "f-s0", "f-s1", "f-s2"]))}
    if kind == "approve":
        return {**{key: value for key, value in step.items() if key in _ASKING}, "approve": draw(_APPROVALS)}
    if kind == "resource":
        given = {"outputs": [{"name": "x", "expression": "object.metadata.name"}]} if draw(st.booleans()) else {}
        return {**step, "resource": draw(_RESOURCES), **given}
    params = {"params": {"image": draw(_TEXTS)}} if draw(st.booleans()) else {}
    outputs = {"outputs": draw(st.sampled_from([[{"name": "x"}], [{"name": "x", "key": "y"}]]))}
    if kind == "flow template" or level > 2:
        return {**step, "flow": {"template": "loading", **params}, **(outputs if draw(st.booleans()) else {})}
    inner = draw(FLOWS)
    spec = draw(_of_other_kinds(_raw(inner.spec), level + 1))
    own = {"params": draw(st.sampled_from(_PARAMS)), "outputs": [{"name": "y", "expression": "flow.name"}]}
    return {**step, "flow": {"spec": {**spec, **own}, **params}}


def _raw(spec: Any) -> Body:
    found: Body = msgspec.json.decode(msgspec.json.encode(spec))
    return found


def _valid(body: Body) -> bool:
    """Whether the webhook takes the flow."""
    known = {**body, "metadata": {**body["metadata"], "namespace": "default"}}
    return admit(kinds.JOBFLOW, known, OfflineLookups(), "default").allowed


@st.composite
def flows(draw: st.DrawFn) -> Body:
    """JobFlows with steps of every kind, which the webhook accepts."""
    spec = draw(_of_other_kinds(_raw(draw(FLOWS).spec)))
    body: Body = {
        "apiVersion": kinds.JOBFLOW.api_version,
        "kind": "JobFlow",
        "metadata": {"name": "f"},
        "spec": {**spec, "params": [{"name": "image", "value": "busybox"}]},
    }
    assume(_valid(body))
    return body
