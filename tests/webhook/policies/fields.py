"""Every field of a policy: what violates it and what does not."""

from typing import Any

from shared.model.types import Body
from tests.webhook.make import flow, job, step, task
from tests.webhook.policies.make import (
    POD,
    REQUESTS,
    container,
    created,
    labelled,
    pods,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4

# field -> the rest of the policy, an object that violates it, one that does not, and the path of the violation
FIELDS: dict[str, tuple[dict[str, Any], Body, Body, str]] = {
    "limits.maxSteps": (
        {"limits": {"maxSteps": 2}},
        flow(step("a"), step("b"), **{"finally": [step("c")]}),
        flow(step("a"), step("b")),
        "spec.flows",
    ),
    "limits.maxDepth": (
        {"limits": {"maxDepth": 2}},
        flow(step("a"), step("b", "a"), step("c", "b")),
        flow(step("a"), step("b", "a"), step("c", "a"), step("d")),
        "spec.flows",
    ),
    "limits.maxParallelism": (
        {"limits": {"maxParallelism": 2}},
        flow(step("a"), step("b"), parallelism=3),
        flow(step("a"), step("b"), step("c"), parallelism=2),
        "spec.parallelism",
    ),
    "limits.maxReplicas": (
        {"limits": {"maxReplicas": 3}},
        job(task(replicas=2), task("v", replicas=2)),
        job(task(replicas=2), task("v", replicas=1)),
        "spec.tasks",
    ),
    "limits.maxRetry": (
        {"limits": {"maxRetry": 1}},
        job(task(maxRetry=1), maxRetry=2),
        job(task(maxRetry=1), maxRetry=1),
        "spec.maxRetry",
    ),
    "limits.maxActiveDeadlineSeconds": (
        {"limits": {"maxActiveDeadlineSeconds": 60}},
        flow(step("a"), activeDeadlineSeconds=61),
        flow(step("a"), activeDeadlineSeconds=60),
        "spec.activeDeadlineSeconds",
    ),
    "limits.maxTtlSecondsAfterFinished": (
        {"limits": {"maxTtlSecondsAfterFinished": 60}},
        job(ttlSecondsAfterFinished=61),
        job(ttlSecondsAfterFinished=0),
        "spec.ttlSecondsAfterFinished",
    ),
    "limits.maxRunningFlows": (
        {"limits": {"maxRunningFlows": 1}},
        flow(step("a")),
        flow(step("a"), suspend=True),
        "spec.suspend",
    ),
    "limits.maxActiveFlows": (
        {"limits": {"maxActiveFlows": 1}},
        flow(step("a")),
        flow(step("a"), suspend=True),
        "spec.suspend",
    ),
    "limits.maxActiveJobs": ({"limits": {"maxActiveJobs": 0}}, job(), job(suspend=True), "spec.suspend"),
    "allowed.queues": ({"allowed": {"queues": ["q1"]}}, job(queue="default"), job(queue="q1"), "spec.queue"),
    "allowed.images": (
        {"allowed": {"images": ["registry.corp/*"]}},
        pods(containers=[container()], initContainers=[container(name="i", image="evil.io/app")]),
        pods(containers=[container()]),
        f"{POD}.initContainers[0].image",
    ),
    "allowed.registries": (
        {"allowed": {"registries": ["Registry.corp"]}},
        pods(containers=[container(image="registry.corp.evil.io/app")]),
        pods(containers=[container(image="REGISTRY.corp/app")]),
        f"{POD}.containers[0].image",
    ),
    "allowed.imageTags": (
        {"allowed": {"imageTags": ["v*"]}},
        pods(containers=[container(image="registry.corp/app")]),
        pods(
            containers=[container(image="registry.corp/app:v1"), container(name="b", image=f"registry.corp/b@{DIGEST}")]
        ),
        f"{POD}.containers[0].image",
    ),
    "denied.images": (
        {"allowed": {"images": ["registry.corp/*"]}, "denied": {"images": ["registry.corp/old/*"]}},
        pods(containers=[container(image="registry.corp/old/app")]),
        pods(containers=[container(image="registry.corp/new/app")]),
        f"{POD}.containers[0].image",
    ),
    "denied.registries": (
        {"denied": {"registries": ["docker.io"]}},
        pods(containers=[container(image="busybox")]),
        pods(containers=[container()]),
        f"{POD}.containers[0].image",
    ),
    "denied.imageTags": (
        {"denied": {"imageTags": ["latest"]}},
        pods(containers=[container(image="registry.corp/app")]),
        pods(containers=[container(image="registry.corp/app:1")]),
        f"{POD}.containers[0].image",
    ),
    "denied.queues": ({"denied": {"queues": ["default"]}}, job(queue="default"), job(queue="q1"), "spec.queue"),
    "denied.schedulerNames": (
        {"denied": {"schedulerNames": ["default-scheduler"]}},
        pods(schedulerName="default-scheduler"),
        pods(schedulerName="volcano"),
        f"{POD}.schedulerName",
    ),
    "denied.priorityClassNames": (
        {"denied": {"priorityClassNames": ["system-*"]}},
        job(priorityClassName="system-cluster-critical"),
        job(priorityClassName="normal-2"),
        "spec.priorityClassName",
    ),
    "denied.plugins": (
        {"denied": {"plugins": ["ssh"]}},
        job(plugins={"env": [], "ssh": []}),
        job(plugins={"env": [], "svc": []}),
        "spec.plugins[ssh]",
    ),
    "denied.serviceAccounts": (
        {"denied": {"serviceAccounts": ["default"]}},
        job(),
        pods(serviceAccountName="batch"),
        f"{POD}.serviceAccountName",
    ),
    "allowed.resourceKinds": (
        {"allowed": {"resourceKinds": ["batch/*/Job"]}},
        flow(created("a", "example.com/v1", "Job")),
        flow(created("a", "batch/v1", "Job"), step("b")),
        "spec.flows[0].resource.manifest.kind",
    ),
    "denied.resourceKinds": (
        {"allowed": {"resourceKinds": ["*"]}, "denied": {"resourceKinds": ["*/PipelineRun"]}},
        flow(step("a"), **{"finally": [created("b", "tekton.dev/v1", "PipelineRun")]}),
        flow(step("a"), **{"finally": [created("b", "batch/v1", "Job")]}),
        "spec.finally[0].resource.manifest.kind",
    ),
    "required.imageDigests": (
        {"required": {"imageDigests": True}},
        pods(containers=[container(image=f"registry.corp/app@{DIGEST}")], initContainers=[container(name="i")]),
        pods(containers=[container(image=f"registry.corp/app:1@{DIGEST}")]),
        f"{POD}.initContainers[0].image",
    ),
    "allowed.schedulerNames": (
        {"allowed": {"schedulerNames": ["volcano"]}},
        pods(schedulerName="mine"),
        pods(schedulerName="volcano"),
        f"{POD}.schedulerName",
    ),
    "allowed.priorityClassNames": (
        {"allowed": {"priorityClassNames": ["low", "normal-*"]}},
        job(priorityClassName="system-cluster-critical"),
        job(priorityClassName="normal-2"),
        "spec.priorityClassName",
    ),
    "allowed.plugins": (
        {"allowed": {"plugins": ["env", "svc"]}},
        job(plugins={"env": [], "ssh": []}),
        job(plugins={"env": [], "svc": []}),
        "spec.plugins[ssh]",
    ),
    "allowed.serviceAccounts": (
        {"allowed": {"serviceAccounts": ["batch"]}},
        job(),
        pods(serviceAccountName="batch"),
        f"{POD}.serviceAccountName",
    ),
    "required.resourceRequests": (
        {"required": {"resourceRequests": ["cpu", "memory"]}},
        pods(containers=[container(resources={"requests": {"cpu": "1"}})]),
        pods(containers=[container(**REQUESTS)]),
        f"{POD}.containers[0].resources.requests[memory]",
    ),
    "required.resourceLimits": (
        {"required": {"resourceLimits": ["memory"]}},
        pods(containers=[container(**REQUESTS)]),
        pods(containers=[container(resources={"limits": {"memory": "1Gi"}})]),
        f"{POD}.containers[0].resources.limits[memory]",
    ),
    "required.existingTemplates": (
        {"required": {"existingTemplates": True}},
        flow(step("x", template="nowhere")),
        flow(step("x", template="there")),
        "spec.flows[0].template",
    ),
    "required.labels": (
        {"required": {"labels": ["team"]}},
        labelled(flow(step("a")), team=""),
        labelled(flow(step("a")), team="vision"),
        "metadata.labels[team]",
    ),
    "rules.deadline": (
        {"rules": [{"name": "deadline", "expression": "has(object.spec.activeDeadlineSeconds)", "message": "set one"}]},
        flow(step("a")),
        flow(step("a"), activeDeadlineSeconds=5),
        "spec.activeDeadlineSeconds",
    ),
}
