"""From template to Job: merge, substitution, JSON patch, names and metadata (docs/design/jobflow-api.md, section 6)."""

from typing import Any

import pytest

from controller.jobflow.children.merge import Unmergeable, merge_job_spec
from tests.controller.jobflow.make import UID, FlowCluster, flow, step


def container(name: str = "c", **fields: Any) -> dict[str, Any]:
    return {"name": name, **fields}


def task(name: str = "main", *containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    pod = {"containers": list(containers), **fields.pop("pod", {})}
    return {"name": name, **fields, "template": {"spec": pod}}


BASE = {
    "queue": "q",
    "tasks": [task("main", container(image="old", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]))],
}
MERGES = {
    "a scalar replaces": ({"queue": "p"}, {**BASE, "queue": "p"}),
    "a new field is added": ({"maxRetry": 2}, {**BASE, "maxRetry": 2}),
    "an unlisted list replaces": (
        {"tasks": [task("main", container(command=["x"]))]},
        {**BASE, "tasks": [task("main", {**BASE["tasks"][0]["template"]["spec"]["containers"][0], "command": ["x"]})]},
    ),
    "env merges by name": (
        {"tasks": [task("main", container(env=[{"name": "B", "value": "9"}, {"name": "C", "value": "3"}]))]},
        {
            **BASE,
            "tasks": [
                task(
                    "main",
                    container(
                        image="old",
                        env=[{"name": "A", "value": "1"}, {"name": "B", "value": "9"}, {"name": "C", "value": "3"}],
                    ),
                )
            ],
        },
    ),
    "a new container is appended": (
        {"tasks": [task("main", container("d", image="new"))]},
        {
            **BASE,
            "tasks": [task("main", BASE["tasks"][0]["template"]["spec"]["containers"][0], container("d", image="new"))],
        },
    ),
    "a new task with a template is appended": (
        {"tasks": [task("more", container(image="x"))]},
        {**BASE, "tasks": [*BASE["tasks"], task("more", container(image="x"))]},
    ),
    "a task's replicas": (
        {"tasks": [{"name": "main", "replicas": 3}]},
        {**BASE, "tasks": [{**BASE["tasks"][0], "replicas": 3}]},
    ),
}


@pytest.mark.parametrize(("patch", "want"), MERGES.values(), ids=MERGES.keys())
def test_merge(patch, want):
    import copy

    before = copy.deepcopy(BASE)
    assert merge_job_spec(BASE, patch) == want
    assert before == BASE


LISTS = {
    "ports by number and protocol": (
        "ports",
        [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
        [{"containerPort": 80, "protocol": "TCP", "name": "web"}, {"containerPort": 53, "name": "dns"}],
        [
            {"containerPort": 80, "protocol": "TCP", "name": "web"},
            {"containerPort": 53, "protocol": "UDP"},
            {"containerPort": 53, "name": "dns"},
        ],
    ),
    "volume mounts by path": (
        "volumeMounts",
        [{"name": "a", "mountPath": "/x"}],
        [{"name": "b", "mountPath": "/x"}, {"name": "c", "mountPath": "/y"}],
        [{"name": "b", "mountPath": "/x"}, {"name": "c", "mountPath": "/y"}],
    ),
    "arguments replace": ("args", ["a", "b"], ["c"], ["c"]),
}


@pytest.mark.parametrize(("field", "old", "new", "want"), LISTS.values(), ids=LISTS.keys())
def test_lists_of_a_container(field, old, new, want):
    base = {"tasks": [task("main", container(**{field: old}))]}
    merged = merge_job_spec(base, {"tasks": [task("main", container(**{field: new}))]})
    assert merged["tasks"][0]["template"]["spec"]["containers"][0][field] == want


def test_pod_volumes_merge_by_name_and_job_volumes_by_mount_path():
    base = {
        "volumes": [{"mountPath": "/a", "volumeClaimName": "x"}],
        "tasks": [task("main", pod={"volumes": [{"name": "v", "emptyDir": {}}], "tolerations": [{"key": "a"}]})],
    }
    patch = {
        "volumes": [{"mountPath": "/a", "volumeClaimName": "y"}, {"mountPath": "/b", "volumeClaimName": "z"}],
        "tasks": [task("main", pod={"volumes": [{"name": "w", "emptyDir": {}}], "tolerations": [{"key": "b"}]})],
    }
    merged = merge_job_spec(base, patch)
    assert [one["volumeClaimName"] for one in merged["volumes"]] == ["y", "z"]
    pod = merged["tasks"][0]["template"]["spec"]
    assert [one["name"] for one in pod["volumes"]] == ["v", "w"]
    assert pod["tolerations"] == [{"key": "b"}]


def test_plugins_merge_by_key():
    merged = merge_job_spec({"plugins": {"ssh": [], "env": ["a"]}}, {"plugins": {"env": ["b"], "svc": []}})
    assert merged == {"plugins": {"ssh": [], "env": ["b"], "svc": []}}


def test_a_patched_task_that_exists_nowhere_needs_a_template():
    with pytest.raises(Unmergeable, match='task "ghost" is not in the template'):
        merge_job_spec(BASE, {"tasks": [{"name": "ghost", "replicas": 2}]})


# --- the whole Job ----------------------------------------------------------------------------------------------------


def job_of(*steps: dict[str, Any], template: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    given = template or {
        "metadata": {
            "name": "a",
            "labels": {"team": "x"},
            "annotations": {
                "note": "n",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "meta.helm.sh/x": "y",
            },
        },
        "spec": {"tasks": [task("main", container(image="busybox"))]},
    }
    cluster = FlowCluster(flow(*steps, **spec), dict.fromkeys((one["name"] for one in steps), given))
    cluster.settle()
    return cluster.bodies.get("f-a") or cluster.bodies.get("f-a-0") or {"failed": cluster.step("a")}


def test_metadata_of_a_job():
    metadata = job_of(step("a"))["metadata"]
    assert metadata["labels"] == {
        "team": "x",
        "volcano.sh/createdByJobFlow": "ns.f",
        "volcano.sh/createdByJobTemplate": "ns.a",
        "flow.volcano.sh/step": "a",
        "flow.volcano.sh/attempt": "0",
    }
    assert len(metadata["annotations"].pop("flow.volcano.sh/step-digest")) == 8
    assert metadata["annotations"] == {
        "note": "n",
        "volcano.sh/createdByJobFlow": "ns.f",
        "volcano.sh/createdByJobTemplate": "ns.a",
    }
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "flow.volcano.sh/v1alpha1",
            "kind": "JobFlow",
            "name": "f",
            "uid": UID,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def image_of(body: dict[str, Any]) -> str:
    return str(body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["image"])


def test_placeholders_are_filled_in_template_and_patch_and_kubernetes_own_stay():
    patch = {"jobSpec": {"tasks": [task("main", container(image="$(params.image)", args=["$(X) $$(params.image)"]))]}}
    body = job_of(step("a", patch=patch), params=[{"name": "image", "value": "new:1"}])
    assert image_of(body) == "new:1"
    assert body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["args"] == ["$(X) $$(params.image)"]


def test_outputs_reach_later_steps():
    template = {"metadata": {}, "spec": {"tasks": [task("main", container(image="$(steps.up.outputs.tag)"))]}}
    cluster = FlowCluster(
        flow(step("up", outputs=[{"name": "tag"}]), step("a", "up")),
        {"up": {"spec": {"tasks": [task()]}}, "a": template},
    )
    cluster.settle()
    cluster.complete("f-up", message="v7")
    assert image_of(cluster.bodies["f-a"]) == "v7"


def test_an_unknown_placeholder_fails_the_step_when_it_is_used():
    template = {"metadata": {}, "spec": {"tasks": [task("main", container(image="$(params.ghost)"))]}}
    failed = job_of(step("a"), template=template)["failed"]
    assert failed.reason == "InvalidReference"
    assert "$(params.ghost)" in failed.message


def patched(*operations: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return job_of(step("a", patch={"jsonPatch": list(operations)}), **spec)


def test_json_patch_is_applied_last_and_takes_values_from_expressions():
    body = patched(
        {"op": "test", "path": "/tasks/0/name", "value": "main"},
        {"op": "replace", "path": "/tasks/0/replicas", "expression": "int(params.n) * 2"},
        {"op": "remove", "path": "/tasks/0/template/spec/containers/0/image"},
        {"op": "add", "path": "/queue", "value": "$(params.n)"},
        params=[{"name": "n", "value": "3"}],
        template={"spec": {"tasks": [{**task("main", container(image="x")), "replicas": 1}]}},
    )
    assert (body["spec"]["tasks"][0]["replicas"], body["spec"]["queue"]) == (6, "3")
    assert "image" not in body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]


FAULTS = {
    "a path that is not there": ({"op": "remove", "path": "/ghost"}, "InvalidPatch"),
    "a test that does not hold": ({"op": "test", "path": "/tasks/0/name", "value": "x"}, "InvalidPatch"),
    "a field that no Job has": ({"op": "add", "path": "/tasks/0/replica", "expression": "3"}, "InvalidPatch"),
    "no value": ({"op": "add", "path": "/queue"}, "InvalidPatch"),
    "an expression without a value": (
        {"op": "add", "path": "/queue", "expression": "params.ghost"},
        "InvalidExpression",
    ),
    "the whole document replaced by a text": ({"op": "replace", "path": "", "value": "x"}, "InvalidPatch"),
}


@pytest.mark.parametrize(("operation", "want"), FAULTS.values(), ids=FAULTS.keys())
def test_a_patch_that_cannot_be_applied_fails_the_step(operation, want):
    assert patched(operation)["failed"].reason == want


def test_a_template_is_never_changed():
    import copy

    template = {"spec": {"tasks": [task("main", container(image="$(flow.name)"))]}}
    before = copy.deepcopy(template)
    operation = {"op": "replace", "path": "/tasks/0/name", "value": "other"}
    job_of(step("a", patch={"jsonPatch": [operation]}), template=template)
    assert template == before


def test_items_and_indexes_reach_iterations():
    template = {"spec": {"tasks": [task("main", container(image="$(item.lr)-$(index)"))]}}
    body = job_of(step("a", for_={"items": [{"lr": "5"}]}), template=template)
    assert image_of(body) == "5-0"
    assert body["metadata"]["labels"]["flow.volcano.sh/iteration"] == "0"


# --- data in fields that Kubernetes expands -----------------------------------------------------------------------------

DATA = "pa$$word $(TOKEN) a$b"
ESCAPED = "pa$$$$word $$(TOKEN) a$$b"
ARGUMENT = "/tasks/0/template/spec/containers/0/args/0"


def test_a_param_an_item_and_an_output_reach_a_container_byte_for_byte():
    given = container(
        image="$(params.p)", args=["$(params.p)", "$(item.k)$(TOKEN)$$"], env=[{"name": "O", "value": "$(params.p)"}]
    )
    annotated = task("main", given)
    annotated["template"]["metadata"] = {"annotations": {"note": "$(params.p)"}}
    template = {"metadata": {"annotations": {"note": "$(params.p)"}}, "spec": {"tasks": [annotated]}}
    body = job_of(step("a", for_={"items": [{"k": DATA}]}), template=template, params=[{"name": "p", "value": DATA}])
    made = body["spec"]["tasks"][0]["template"]
    assert made["spec"]["containers"][0] == container(
        image=DATA, args=[ESCAPED, ESCAPED + "$(TOKEN)$$"], env=[{"name": "O", "value": ESCAPED}]
    )
    assert (body["metadata"]["annotations"]["note"], made["metadata"]["annotations"]["note"]) == (DATA, DATA)


PATCHES = {
    "the result of an expression": [{"op": "replace", "path": ARGUMENT, "expression": "params.p"}],
    "a placeholder in a value": [{"op": "replace", "path": ARGUMENT, "value": "$(params.p)"}],
    "a whole container": [
        {
            "op": "replace",
            "path": "/tasks/0/template/spec/containers",
            "expression": '[{"name": "c", "args": [params.p]}]',
        }
    ],
    "data that was put elsewhere first": [
        {"op": "add", "path": "/queue", "value": "$(params.p)"},
        {"op": "test", "path": "/queue", "value": "$(params.p)"},
        {"op": "copy", "from": "/queue", "path": ARGUMENT},
        {"op": "remove", "path": ARGUMENT.removesuffix("/0") + "/1"},
    ],
}


@pytest.mark.parametrize("operations", PATCHES.values(), ids=PATCHES.keys())
def test_data_of_a_json_patch_is_data_wherever_it_ends_up(operations):
    template = {"spec": {"tasks": [task("main", container(args=["x"]))]}}
    body = patched(*operations, template=template, params=[{"name": "p", "value": DATA}])
    assert body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["args"] == [ESCAPED]


def test_a_placeholder_inside_an_open_reference_fails_the_step():
    template = {"spec": {"tasks": [task("main", container(args=["$(TOK$(params.p))"]))]}}
    failed = job_of(step("a"), template=template, params=[{"name": "p", "value": "EN"}])["failed"]
    assert failed.reason == "InvalidReference"
    assert failed.message.startswith("spec.tasks[0].template.spec.containers[0].args[0]: a placeholder stands inside")


def test_a_json_patch_that_fails_shows_data_without_marks():
    operation = {"op": "replace", "path": "/ghost/$(x)", "value": "$(params.p)"}
    failed = patched(operation, params=[{"name": "p", "value": DATA}])["failed"]
    assert failed.message.encode()
