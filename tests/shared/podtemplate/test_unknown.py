"""Misspelt fields in pod templates are found wherever an object of ours contains a pod template."""

import pytest

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from shared.podtemplate.unknown import unknown_pod_fields


def job(template: Body) -> Body:
    return {"spec": {"tasks": [{"name": "w", "template": template}]}}


def container(**fields: object) -> Body:
    return {"spec": {"containers": [{"name": "c", "image": "i", **fields}]}}


def flow(**patch: object) -> Body:
    return {"spec": {"flows": [{"name": "a"}, {"name": "b", "patch": patch}]}}


TASK = "spec.tasks[0].template"
CASES: dict[str, tuple[Kind, Body, list[str]]] = {
    "a field of a container": (
        kinds.JOB,
        job(container(comand=["sh"], resource={}, volumeMount=[])),
        [f"{TASK}.spec.containers[0].{name}" for name in ("comand", "resource", "volumeMount")],
    ),
    "of an init container": (
        kinds.JOBTEMPLATE,
        job({"spec": {"initContainers": [{"name": "c", "imagePullpolicy": "Never"}]}}),
        [f"{TASK}.spec.initContainers[0].imagePullpolicy"],
    ),
    "of the pod": (kinds.JOB, job({"spec": {"nodeselector": {"a": "b"}}}), [f"{TASK}.spec.nodeselector"]),
    "of the template": (kinds.JOB, job({"containers": []}), [f"{TASK}.containers"]),
    "of the metadata": (kinds.JOB, job({"metadata": {"label": {"a": "b"}}}), [f"{TASK}.metadata.label"]),
    "of a security context": (
        kinds.JOB,
        job({"spec": {"securityContext": {"fsgroup": 1}}}),
        [f"{TASK}.spec.securityContext.fsgroup"],
    ),
    "deep in lists": (
        kinds.JOB,
        job(container(env=[{"name": "a", "valueFrom": {"secretKeyref": {}}}])),
        [f"{TASK}.spec.containers[0].env[0].valueFrom.secretKeyref"],
    ),
    "of a volume": (
        kinds.JOB,
        job({"spec": {"volumes": [{"name": "v", "emptydir": {}}]}}),
        [f"{TASK}.spec.volumes[0].emptydir"],
    ),
    "of a volume claim": (
        kinds.JOB,
        {"spec": {"volumes": [{"mountPath": "/x", "volumeClaim": {"accessMode": ["ReadWriteOnce"]}}]}},
        ["spec.volumes[0].volumeClaim.accessMode"],
    ),
    "keys of maps are free": (
        kinds.JOB,
        job({"metadata": {"labels": {"x": "y"}}, **container(resources={"limits": {"example.com/x": 1}})}),
        [],
    ),
    "placeholders are not judged": (kinds.JOBTEMPLATE, job({"spec": {"$(params.x)": 1}}), []),
    "wrong types are not judged": (kinds.JOB, {"spec": {"tasks": [{"template": 5}, None, "x"], "volumes": {}}}, []),
    "of a patched task": (
        kinds.JOBFLOW,
        flow(jobSpec={"tasks": [{"name": "w", "template": {"spec": {"hostnetwork": True}}}]}),
        ["spec.flows[1].patch.jobSpec.tasks[0].template.spec.hostnetwork"],
    ),
    "of a value of a jsonPatch": (
        kinds.JOBFLOW,
        flow(jsonPatch=[{"op": "add", "path": "/tasks/0/template/spec/containers/-", "value": {"nam": "x"}}]),
        ["spec.flows[1].patch.jsonPatch[0].value.nam"],
    ),
    "of a whole task of a jsonPatch": (
        kinds.JOBFLOW,
        flow(jsonPatch=[{"op": "add", "path": "/tasks/-", "value": {"template": {"spc": {}}}}]),
        ["spec.flows[1].patch.jsonPatch[0].value.template.spc"],
    ),
    "in the path of a jsonPatch": (
        kinds.JOBFLOW,
        flow(jsonPatch=[{"op": "replace", "path": "/tasks/0/template/spec/containers/0/imag", "value": "x"}]),
        ["spec.flows[1].patch.jsonPatch[0].path"],
    ),
    "a jsonPatch of a map's key": (
        kinds.JOBFLOW,
        flow(jsonPatch=[{"op": "add", "path": "/tasks/0/template/metadata/labels/example.com~1a", "value": "x"}]),
        [],
    ),
    "a jsonPatch that removes": (kinds.JOBFLOW, flow(jsonPatch=[{"op": "remove", "path": "/tasks/0/template/x"}]), []),
    "of the Job of a CronJob": (
        kinds.CRONJOB,
        {"spec": {"jobTemplate": job({"spec": {"nodeselector": {}}})}},
        ["spec.jobTemplate.spec.tasks[0].template.spec.nodeselector"],
    ),
    "of the flow in a JobFlowTemplate": (
        kinds.JOBFLOWTEMPLATE,
        {"spec": {"flow": {"flows": [{"patch": {"jobSpec": {"tasks": [{"template": {"spek": {}}}]}}}]}}},
        ["spec.flow.flows[0].patch.jobSpec.tasks[0].template.spek"],
    ),
    "of the flow of a CronJobFlow": (
        kinds.CRONJOBFLOW,
        {
            "spec": {
                "jobFlowTemplate": {
                    "spec": {"flows": [{"patch": {"jobSpec": {"tasks": [{"template": {"spek": {}}}]}}}]}
                }
            }
        },
        ["spec.jobFlowTemplate.spec.flows[0].patch.jobSpec.tasks[0].template.spek"],
    ),
    "of finally": (
        kinds.JOBFLOW,
        {"spec": {"finally": [{"patch": {"jobSpec": {"tasks": [{"template": {"spek": {}}}]}}}]}},
        ["spec.finally[0].patch.jobSpec.tasks[0].template.spek"],
    ),
}


@pytest.mark.parametrize(("kind", "body", "paths"), CASES.values(), ids=CASES)
def test_unknown_fields_are_found(kind: Kind, body: Body, paths: list[str]) -> None:
    assert [found.path for found in unknown_pod_fields(kind, body)] == paths


def test_the_known_names_of_the_place_are_given() -> None:
    (found,) = unknown_pod_fields(kinds.JOB, job(container(comand=[])))
    assert found.name == "comand"
    assert {"command", "args", "image"} < set(found.known)
