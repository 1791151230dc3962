"""Random JobFlowPolicies, and random objects of all kinds that policies judge, which violate them or not."""

import copy
import random
from typing import Any, Final

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, step

QUEUES: Final = ("default", "q1", "q2", "research", "re.search")
SCHEDULERS: Final = ("volcano", "default-scheduler", "mine")
CLASSES: Final = ("low", "normal-1", "normal-2", "system-node-critical")
ACCOUNTS: Final = ("default", "batch", "batch-2")
PLUGINS: Final = ("env", "svc", "ssh")
IMAGES: Final = (
    "busybox",
    "busybox:1.36",
    "docker.io/library/busybox",
    "index.docker.io/busybox",
    "registry.example.com/team/app",
    "registry.example.com/team/app:1.4",
    "REGISTRY.example.com/team/app:v1",
    "registry.example.com:5000/app",
    "registry.example.com.evil.io/app",
    "registry.example.com/../evil/x",
    "localhost/app",
    "user/app:latest",
    "evil.io/registry.example.com/app",
    "a..b/app",
    "App",
    "app:tag:tag",
    "registry.example.com/app@sha256:" + "0123456789abcdef" * 4,
    "registry.example.com/app:1@sha256:" + "0123456789ABCDEF" * 4,
    "app@sha256:1234",
    "$(image)",
)
KEYS: Final = ("team", "example.com/cost", "env")
VALUES: Final = ("vision", "nlp", "")


def random_policy(rng: random.Random, name: str) -> Body:
    """A valid policy; most of them enforce."""
    spec: Body = {}
    for group, fields in _GROUPS.items():
        chosen = {field: make(rng) for field, make in fields.items() if rng.random() < 0.12}
        if chosen:
            spec[group] = chosen
    if not spec:
        spec["limits"] = {"maxSteps": rng.randint(0, 4)}
    if rng.random() < 0.15:
        # A policy may not refuse its own defaults.
        seconds = spec.get("limits", {}).get("maxActiveDeadlineSeconds", 5)
        spec["defaults"] = {"labels": {"team": "vision"}} | ({"activeDeadlineSeconds": seconds} if seconds else {})
    return body(kinds.JOBFLOWPOLICY, name, {**spec, **random_scope(rng)})


def random_scope(rng: random.Random) -> Body:
    """To whom a policy applies, and its mode."""
    spec: Body = {}
    if rng.random() < 0.4:
        spec["match"] = _match(rng)
    if rng.random() < 0.2:
        exempt = {"usernames": ["ann", "system:serviceaccount:ci:*"], "groups": ["research*"], "namespaces": ["ns?"]}
        spec["exempt"] = {field: patterns for field, patterns in exempt.items() if rng.random() < 0.4}
    if rng.random() < 0.1:
        spec["mode"] = rng.choice(["Enforce", "Warn", "Audit"])
    return spec


def random_object(rng: random.Random, name: str) -> Body:
    """A Job, a JobTemplate, a JobFlow, or one of the kinds that contain a Job or JobFlow."""
    kind = rng.choice([kinds.JOB, kinds.JOB, kinds.JOBTEMPLATE, kinds.JOBFLOW, kinds.JOBFLOW, *_OUTER])
    if kind in (kinds.JOB, kinds.JOBTEMPLATE):
        made = body(kind, name, _job(rng))
    elif kind is kinds.JOBFLOW:
        made = body(kind, name, _flow(rng))
    else:
        made = body(kind, name, _OUTER[kind](rng))
    made["metadata"]["labels"] = _labels(rng)
    if rng.random() < 0.1:
        owner = {"apiVersion": "flow.volcano.sh/v1alpha1", "kind": rng.choice(["JobFlow", "Other"]), "name": "o"}
        made["metadata"]["ownerReferences"] = [{**owner, "uid": "1"}]
    return made


def changed(rng: random.Random, stored: Body) -> Body:
    """An update of the object: other labels, a suspension, or fields of another random object of its kind."""
    new: Body = copy.deepcopy(stored)
    if rng.random() < 0.3:
        new["metadata"]["labels"] = _labels(rng)
    if new["kind"] == "JobFlow" and "spec" in new and rng.random() < 0.3:
        new["spec"]["suspend"] = rng.random() < 0.7
        if rng.random() < 0.5:
            return new
    while True:
        other = random_object(rng, stored["metadata"]["name"])
        if other["kind"] == stored["kind"]:
            break
    chosen = {field: value for field, value in other["spec"].items() if rng.random() < 0.3}
    new["spec"] = {**(new.get("spec") or {}), **chosen}
    return new


def _match(rng: random.Random) -> Body:
    found: Body = {}
    if rng.random() < 0.5:
        names = ("Job", "JobTemplate", "JobFlow", "CronJob", "CronJobFlow", "JobFlowTemplate")
        found["kinds"] = rng.sample(names, rng.randint(1, 3))
    for field in ("namespaceSelector", "objectSelector"):
        if rng.random() < 0.4:
            found[field] = _selector(rng)
    return found


def _selector(rng: random.Random) -> Body:
    key, values = rng.choice(KEYS), [value for value in VALUES if value]
    operator = rng.choice(["In", "NotIn", "Exists", "DoesNotExist", ""])
    if not operator:
        return {"matchLabels": {key: rng.choice(values)}}
    expression = {"key": key, "operator": operator}
    return {"matchExpressions": [expression | ({"values": [rng.choice(values)]} if operator.endswith("In") else {})]}


def _labels(rng: random.Random) -> dict[str, str]:
    return {key: rng.choice(VALUES) for key in KEYS if rng.random() < 0.5}


def _number(rng: random.Random) -> int:
    return rng.choice([0, 1, 2, 3, 4, 100])


def _some(*values: str) -> Any:
    return lambda rng: rng.sample(values, rng.randint(1, min(3, len(values))))


_USAGES: Final[dict[str, Any]] = {
    "queues": _some("default", "q?", "re.search", "*"),
    "schedulerNames": _some("volcano", "*-scheduler"),
    "priorityClassNames": _some("low", "normal-*", "system-*"),
    "plugins": _some("env", "s??"),
    "serviceAccounts": _some("default", "batch*"),
    "images": _some(
        "busybox", "*", "registry.example.com/*", "*.example.com/*", "user/*", "*:latest", "docker.io/library/*",
        "registry.example.com/*:1.*", "registry.example.com:5000/*", "*@sha256:*", "registry.example.com/team/app", "*/app",
        "Registry.Example.com/*",
    ),
    "registries": _some("registry.example.com", "docker.io", "*.example.com", "Registry.example.com:5000", "localhost"),
    "imageTags": _some("latest", "1.*", "v*", "??*"),
}  # fmt: skip
_GROUPS: Final[dict[str, dict[str, Any]]] = {
    "limits": dict.fromkeys(
        (
            "maxSteps",
            "maxDepth",
            "maxParallelism",
            "maxReplicas",
            "maxRetry",
            "maxActiveDeadlineSeconds",
            "maxTtlSecondsAfterFinished",
        ),
        _number,
    ),
    "allowed": _USAGES,
    "denied": _USAGES,
    "required": {
        "resourceRequests": _some("cpu", "memory", "nvidia.com/gpu"),
        "resourceLimits": _some("cpu", "memory"),
        "labels": _some(*KEYS),
        "imageDigests": lambda rng: True,
    },
}


def _maybe(rng: random.Random, **values: Any) -> Body:
    """Some of the fields; a value is a list to choose from."""
    return {field: rng.choice(choice) for field, choice in values.items() if rng.random() < 0.4}


def _job(rng: random.Random, *, partial: bool = False) -> Body:
    spec = _maybe(
        rng,
        queue=QUEUES,
        schedulerName=SCHEDULERS,
        priorityClassName=CLASSES,
        maxRetry=(0, 1, 2, 3, 5),
        ttlSecondsAfterFinished=(0, 1, 50, 200),
        plugins=[{name: []} for name in PLUGINS] + [{"env": [], "svc": []}],
    )
    if not partial or rng.random() < 0.7:
        spec["tasks"] = [_task(rng, f"t{at}") for at in range(rng.randint(1, 3))]
    if partial and rng.random() < 0.3:
        spec["queue"] = "$(queue)"
    return spec


def _task(rng: random.Random, name: str) -> Body:
    pod = _maybe(
        rng, schedulerName=SCHEDULERS, priorityClassName=CLASSES, serviceAccountName=ACCOUNTS, serviceAccount=ACCOUNTS
    )
    pod |= {"restartPolicy": "Never", "containers": [_container(rng, f"c{at}") for at in range(rng.randint(1, 2))]}
    if rng.random() < 0.2:
        pod["initContainers"] = [_container(rng, "i")]
    if rng.random() < 0.1:
        pod["volumes"] = [{"name": "v", "image": {"reference": rng.choice(IMAGES)}}, {"name": "w", "emptyDir": {}}]
    if rng.random() < 0.1:
        pod["resources"] = {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}
    if rng.random() < 0.06:
        pod[rng.choice(["containers", "volumes", "schedulerName", "initContainers"])] = rng.choice(["text", 5, [5], {}])
    template = {"spec": pod if rng.random() > 0.02 else "text"}
    return {"name": name, "replicas": rng.randint(0, 3), "template": template, **_maybe(rng, maxRetry=(0, 1, 4))}


def _container(rng: random.Random, name: str) -> Body:
    made: Body = {"name": name, "image": rng.choice(IMAGES)}
    if rng.random() < 0.6:
        sides = {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "1Gi", "nvidia.com/gpu": 1, "cpu": None}}
        made["resources"] = {side: amounts for side, amounts in sides.items() if rng.random() < 0.6}
    if rng.random() < 0.03:
        made["resources"] = "text"
    return made


def _flow(rng: random.Random) -> Body:
    spec = _maybe(
        rng,
        parallelism=(0, 1, 2, 5),
        activeDeadlineSeconds=(1, 3, 100, 200),
        ttlSecondsAfterFinished=(0, 2, 200),
        retry=({"limit": 1}, {"limit": 5}),
        suspend=(True, False),
    )
    spec["flows"] = [_step(rng, f"s{at}", at) for at in range(rng.randint(1, 5))]
    if rng.random() < 0.2:
        spec["finally"] = [_step(rng, "last", 0)]
    return spec


def _step(rng: random.Random, name: str, at: int) -> Body:
    made = step(name, *([f"s{at - 1}"] if at and rng.random() < 0.6 else []))
    if rng.random() < 0.3:
        made["patch"] = {"jobSpec": _job(rng, partial=True)}
    if rng.random() < 0.2:
        loops: list[Body] = [{"range": {"end": 3}}, {"items": []}, {"items": ["a", "b"], "parallelism": 1}]
        made["for"] = rng.choice([*loops, {"while": "index < 2"}])
    if rng.random() < 0.2:
        made["retry"] = {"limit": rng.choice([1, 4])}
    return made


def _template(rng: random.Random, spec: Body) -> Body:
    return {"metadata": {"labels": _labels(rng)}, "spec": spec} if rng.random() < 0.7 else {"spec": spec}


_OUTER: Final[dict[Any, Any]] = {
    kinds.CRONJOB: lambda rng: {"schedule": "0 1 * * *", "jobTemplate": _template(rng, _job(rng))},
    kinds.CRONJOBFLOW: lambda rng: {
        "schedules": ["0 1 * * *"], "jobFlowTemplate": _template(rng, _flow(rng)),
    },
    kinds.JOBFLOWTEMPLATE: lambda rng: {"flow": _flow(rng)},
}  # fmt: skip
