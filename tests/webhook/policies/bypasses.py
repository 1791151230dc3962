"""Ways to bypass a policy: each must be refused by the named rule."""

from typing import Any, NamedTuple

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, flow, job, pod_template, step, task, template
from tests.webhook.policies.make import container, labelled, patched_job, pods

ONLY_CORP: Body = {"allowed": {"images": ["registry.corp/*"]}}
EVIL = container(name="evil", image="evil.io/app")
EVIL_TASK = task("evil", template=pod_template(containers=[EVIL]))
MANY_EVIL = task("many", template=pod_template(containers=[{**EVIL, "name": f"c{at}"} for at in range(110)]))
EVIL_PATCH = step("evil", patch={"jobSpec": {"tasks": [EVIL_TASK]}})
TEAM: Body = {"matchLabels": {"team": "vision"}}


class Bypass(NamedTuple):
    """`spec`: of the policy; `new`: what is applied; `old`: what is stored, None for a creation."""

    spec: Body
    new: Body
    rule: str
    old: Body | None = None


def _image(image: str, spec: Body = ONLY_CORP, rule: str = "allowed.images") -> Bypass:
    return Bypass(spec, pods(containers=[container(image=image)]), rule)


def _evil(new: Body) -> Bypass:
    return Bypass(ONLY_CORP, new, "allowed.images")


def _outer(kind: Any, **spec: Any) -> Body:
    return body(kind, "outer", spec)


BYPASSES: dict[str, Bypass] = {
    "a registry whose name begins alike": _image("registry.corp.evil.io/app"),
    "a path that leads elsewhere": _image("registry.corp/../evil/app"),
    "another port of the registry": _image("registry.corp:5000/app"),
    "the registry as a path of another one": _image("evil.io/registry.corp/app"),
    "the registry as a user of Docker Hub": _image("registry/corp/app"),
    "a reference that no runtime reads": _image("registry.corp/App"),
    "an absent tag for latest": _image("registry.corp/app", {"denied": {"imageTags": ["latest"]}}, "denied.imageTags"),
    "another name of Docker Hub": _image(
        "index.docker.io/library/busybox", {"denied": {"images": ["busybox"]}}, "denied.images"
    ),
    "a tag of a pattern by its digest": _image("app:1", {"required": {"imageDigests": True}}, "required.imageDigests"),
    "capitals in the registry": _image("EVIL.io/app", {"denied": {"registries": ["evil.io"]}}, "denied.registries"),
    "an init container": _evil(pods(initContainers=[EVIL], containers=[container()])),
    "an ephemeral container": _evil(pods(ephemeralContainers=[EVIL], containers=[container()])),
    "an image as a volume": _evil(
        pods(volumes=[{"name": "v", "image": {"reference": "evil.io/app"}}], containers=[container()])
    ),
    "the second container": _evil(pods(containers=[container(), EVIL])),
    "the second task": _evil(job(task(template=pod_template(containers=[container()])), EVIL_TASK)),
    "a template": _evil(template(EVIL_TASK)),
    "the patch of a step": _evil(flow(EVIL_PATCH)),
    "the patch of a step in finally": _evil(flow(step("a"), **{"finally": [EVIL_PATCH]})),
    "a Job in a CronJob": _evil(
        _outer(kinds.CRONJOB, schedule="0 1 * * *", jobTemplate={"spec": {"tasks": [EVIL_TASK]}})
    ),
    "a flow in a CronJobFlow": _evil(
        _outer(kinds.CRONJOBFLOW, schedules=["0 1 * * *"], jobFlowTemplate={"spec": {"flows": [EVIL_PATCH]}})
    ),
    "a JobFlowTemplate": _evil(_outer(kinds.JOBFLOWTEMPLATE, flow={"flows": [EVIL_PATCH]})),
    "a placeholder in a Job, where none is replaced": Bypass(
        {"allowed": {"serviceAccounts": ["batch"]}}, pods(serviceAccountName="$(account)"), "allowed.serviceAccounts"
    ),
    "a scheduler of the pods": Bypass(
        {"allowed": {"schedulerNames": ["volcano"]}}, pods(schedulerName="mine"), "allowed.schedulerNames"
    ),
    "a priority of the pods": Bypass(
        {"denied": {"priorityClassNames": ["system-*"]}},
        pods(priorityClassName="system-node-critical"),
        "denied.priorityClassNames",
    ),
    "the old name of the service account's field": Bypass(
        {"allowed": {"serviceAccounts": ["batch"]}}, pods(serviceAccount="root"), "allowed.serviceAccounts"
    ),
    "one name in each field of the service account": Bypass(
        {"allowed": {"serviceAccounts": ["batch"]}},
        pods(serviceAccountName="batch", serviceAccount="root"),
        "allowed.serviceAccounts",
    ),
    "no service account": Bypass({"allowed": {"serviceAccounts": ["batch"]}}, job(), "allowed.serviceAccounts"),
    "a plugin of a patch": Bypass({"denied": {"plugins": ["ssh"]}}, patched_job(plugins={"ssh": []}), "denied.plugins"),
    "a value that is allowed and denied": Bypass(
        {"allowed": {"queues": ["*"]}, "denied": {"queues": ["q1"]}}, job(), "denied.queues"
    ),
    "a label that is taken away": Bypass(
        {"required": {"labels": ["team"]}}, job(), "required.labels", labelled(job(), team="vision")
    ),
    "a label that is emptied": Bypass(
        {"required": {"labels": ["team"]}}, labelled(job(), team=""), "required.labels", labelled(job(), team="x")
    ),
    "leaving the selection while changing": Bypass(
        {"match": {"objectSelector": TEAM}, "limits": {"maxSteps": 1}},
        flow(step("a"), step("b")),
        "limits.maxSteps",
        labelled(flow(step("a")), team="vision"),
    ),
    "changing while suspending": Bypass(
        {"limits": {"maxSteps": 1}}, flow(step("a"), step("b"), suspend=True), "limits.maxSteps", flow(step("a"))
    ),
    "one more violation beside a stored one": Bypass(
        ONLY_CORP,
        template(EVIL_TASK, task("w", template=pod_template(containers=[container(image="worse.io/app")]))),
        "allowed.images",
        template(EVIL_TASK),
    ),
    "one more violation behind a hundred stored ones": Bypass(
        ONLY_CORP,
        template(MANY_EVIL, task("w", template=pod_template(containers=[container(image="worse.io/app")]))),
        "allowed.images",
        template(MANY_EVIL),
    ),
    "steps in finally": Bypass(
        {"limits": {"maxSteps": 1}}, flow(step("a"), **{"finally": [step("b")]}), "limits.maxSteps"
    ),
    "retries of a step": Bypass({"limits": {"maxRetry": 1}}, flow(step("a", retry={"limit": 2})), "limits.maxRetry"),
    "retries of a task": Bypass({"limits": {"maxRetry": 1}}, job(task(maxRetry=2), maxRetry=1), "limits.maxRetry"),
    "retries of a patch": Bypass({"limits": {"maxRetry": 1}}, patched_job(maxRetry=2), "limits.maxRetry"),
    "replicas spread over tasks": Bypass(
        {"limits": {"maxReplicas": 3}}, job(task(replicas=2), task("v", 2)), "limits.maxReplicas"
    ),
    "replicas of a patch": Bypass(
        {"limits": {"maxReplicas": 3}}, patched_job(tasks=[task(replicas=4)]), "limits.maxReplicas"
    ),
    "no deadline": Bypass(
        {"limits": {"maxActiveDeadlineSeconds": 60}}, flow(step("a")), "limits.maxActiveDeadlineSeconds"
    ),
    "no time to live": Bypass(
        {"limits": {"maxTtlSecondsAfterFinished": 60}}, job(), "limits.maxTtlSecondsAfterFinished"
    ),
    "no parallelism": Bypass({"limits": {"maxParallelism": 1}}, flow(step("a"), step("b")), "limits.maxParallelism"),
    "parallelism of 0, which is none": Bypass(
        {"limits": {"maxParallelism": 1}}, flow(step("a"), step("b"), parallelism=0), "limits.maxParallelism"
    ),
    "a loop in place of steps": Bypass(
        {"limits": {"maxParallelism": 3}},
        flow(step("a", **{"for": {"matrix": {"x": ["1", "2"], "y": ["1", "2"]}}})),
        "limits.maxParallelism",
    ),
    "a chain behind a switch": Bypass(
        {"limits": {"maxDepth": 2}},
        flow(step("a"), step("s", "a", switch={"value": "'b'", "cases": [{"equals": "b", "run": ["b"]}]}), step("b")),
        "limits.maxDepth",
    ),
    "a container without requests beside one with": Bypass(
        {"required": {"resourceRequests": ["cpu"]}},
        pods(containers=[container(resources={"requests": {"cpu": "1"}}), container(name="b")]),
        "required.resourceRequests",
    ),
    "a request that is null": Bypass(
        {"required": {"resourceRequests": ["cpu"]}},
        pods(containers=[container(resources={"requests": {"cpu": None}})]),
        "required.resourceRequests",
    ),
    "a rule that cannot be evaluated": Bypass(
        {"rules": [{"name": "own", "expression": "object.metadata.annotations['checked'] == 'yes'"}]},
        job(),
        "rules.own",
    ),
}
