"""Special cases of the fields of a JobFlowPolicy."""

from typing import Any

import pytest

from shared.model.types import Body
from tests.webhook.make import flow, job, pod_template, step, task, template
from tests.webhook.policies.make import (
    POD,
    container,
    found,
    patched_job,
    pods,
)

IMAGES = {"images": ["registry.corp/*"]}
FINER: dict[str, tuple[dict[str, Any], Body, list[str]]] = {
    "no parallelism means no limit": (
        {"limits": {"maxParallelism": 2}},
        flow(step("a"), step("b"), step("c")),
        ["spec.parallelism"],
    ),
    "a flow that cannot exceed the parallelism": ({"limits": {"maxParallelism": 2}}, flow(step("a"), step("b")), []),
    "a loop runs all at once": (
        {"limits": {"maxParallelism": 5}},
        flow(step("a", **{"for": {"matrix": {"x": ["1", "2"], "y": ["1", "2", "3"]}}})),
        ["spec.parallelism"],
    ),
    "a loop held back by itself": (
        {"limits": {"maxParallelism": 5}},
        flow(step("a", **{"for": {"range": {"end": 100}, "parallelism": 5}})),
        [],
    ),
    "a loop of unknown length": (
        {"limits": {"maxParallelism": 5}},
        flow(step("a", **{"for": {"expression": "['1']"}})),
        ["spec.parallelism"],
    ),
    "a while runs one by one": ({"limits": {"maxParallelism": 1}}, flow(step("a", **{"for": {"while": "false"}})), []),
    "switches and daemons do not count": (
        {"limits": {"maxParallelism": 1}},
        flow(step("a", switch={"value": "'x'", "default": ["b"]}), step("b"), step("d", daemon=True)),
        [],
    ),
    "what a switch chooses comes after it": (
        {"limits": {"maxDepth": 1}},
        flow(
            step("s", switch={"value": "'x'", "cases": [{"when": ["x"], "run": ["a"]}], "default": ["b"]}),
            step("a"),
            step("b"),
        ),
        ["spec.flows"],
    ),
    "no deadline is no limit": (
        {"limits": {"maxActiveDeadlineSeconds": 9}},
        flow(step("a")),
        ["spec.activeDeadlineSeconds"],
    ),
    "no time to live is for ever": (
        {"limits": {"maxTtlSecondsAfterFinished": 9}},
        flow(step("a")),
        ["spec.ttlSecondsAfterFinished"],
    ),
    "the flow's Jobs go with it": (
        {"limits": {"maxTtlSecondsAfterFinished": 9}},
        {**job(), "metadata": {"name": "f-a", "namespace": "ns1", "ownerReferences": [{"kind": "JobFlow"}]}},
        [],
    ),
    "a template need not say its time to live": ({"limits": {"maxTtlSecondsAfterFinished": 9}}, template(), []),
    "retries of steps": (
        {"limits": {"maxRetry": 1}},
        flow(step("a", retry={"limit": 2}), retry={"limit": 3}),
        ["spec.retry.limit", "spec.flows[0].retry.limit"],
    ),
    "retries of tasks": (
        {"limits": {"maxRetry": 1}},
        job(task(maxRetry=2), maxRetry=0),
        ["spec.tasks[0].maxRetry"],
    ),
    "replicas in a patch": (
        {"limits": {"maxReplicas": 4}},
        patched_job(tasks=[{"name": "w", "replicas": 5}]),
        ["spec.flows[0].patch.jobSpec.tasks"],
    ),
    "an image in a patch": (
        {"allowed": IMAGES},
        patched_job(tasks=[{"name": "w", "template": {"spec": {"containers": [{"name": "m", "image": "x"}]}}}]),
        ["spec.flows[0].patch.jobSpec.tasks[0].template.spec.containers[0].image"],
    ),
    "a queue in a patch": (
        {"allowed": {"queues": ["q"]}},
        patched_job(queue="p"),
        ["spec.flows[0].patch.jobSpec.queue"],
    ),
    "a placeholder in a patch waits": ({"allowed": {"queues": ["q"]}}, patched_job(queue="$(params.q)"), []),
    "a placeholder in a template waits": (
        {"allowed": IMAGES},
        template(task(template=pod_template(containers=[container(image="evil.io/$(params.tag)")]))),
        [],
    ),
    "a Job has no placeholders": (
        {"allowed": IMAGES},
        pods(containers=[container(image="evil.io/$(params.tag)")]),
        [f"{POD}.containers[0].image"],
    ),
    "a template's image": ({"allowed": IMAGES}, template(), [f"{POD}.containers[0].image"]),
    "a registry that only begins alike": (
        {"allowed": IMAGES},
        pods(containers=[container(image="registry.corp.evil.io/app")]),
        [f"{POD}.containers[0].image"],
    ),
    "a short name is docker.io's": ({"allowed": {"images": ["docker.io/library/*"]}}, job(), []),
    "a user's short name is docker.io's": (
        {"allowed": {"images": ["docker.io/library/*"]}},
        pods(containers=[container(image="someone/busybox")]),
        [f"{POD}.containers[0].image"],
    ),
    "an image volume": (
        {"allowed": IMAGES},
        pods(containers=[container()], volumes=[{"name": "v", "image": {"reference": "evil.io/data"}}]),
        [f"{POD}.volumes[0].image.reference"],
    ),
    "an account by its old name": (
        {"allowed": {"serviceAccounts": ["batch"]}},
        pods(serviceAccountName="batch", serviceAccount="root"),
        [f"{POD}.serviceAccount"],
    ),
    "a template's account may come by patch": ({"allowed": {"serviceAccounts": ["batch"]}}, template(), []),
    "a limit is a request": (
        {"required": {"resourceRequests": ["cpu"]}},
        pods(containers=[container(resources={"limits": {"cpu": "1"}})]),
        [],
    ),
    "resources of the whole pod": (
        {"required": {"resourceRequests": ["cpu"], "resourceLimits": ["cpu"]}},
        pods(containers=[container()], resources={"limits": {"cpu": "1"}}),
        [],
    ),
    "a patch need not say its requests": (
        {"required": {"resourceRequests": ["cpu"]}},
        patched_job(tasks=[{"name": "w", "template": {"spec": {"containers": [{"name": "m"}]}}}]),
        [],
    ),
    "a template named as its step": (
        {"required": {"existingTemplates": True}},
        flow(step("there"), step("gone")),
        ["spec.flows[1].name"],
    ),
    "a rule over two fields points at what they share": (
        {"rules": [{"name": "r", "expression": "object.spec.a == 1 || object.spec.b == 'object.x.y'"}]},
        flow(step("a")),
        ["spec"],
    ),
    "a rule over a macro points at the list": (
        {"rules": [{"name": "r", "expression": "object.spec.flows.all(f, size(f.name) > 9)"}]},
        flow(step("a")),
        ["spec.flows"],
    ),
}


@pytest.mark.parametrize(("spec", "manifest", "paths"), FINER.values(), ids=FINER)
def test_policy_field_edge_cases(spec: dict[str, Any], manifest: Body, paths: list[str]) -> None:
    assert [path for _, path in found(manifest, **spec)] == paths
