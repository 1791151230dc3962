"""Policies and the objects that they judge."""

from typing import Any

import msgspec

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, flow, job, known, pod_template, review, step, task, template
from webhook.envelope.review import AdmissionVerdict, RequestUser
from webhook.verdict.admit import validate


def policy(name: str = "house", **spec: Any) -> Body:
    return body(kinds.JOBFLOWPOLICY, name, spec)


def namespace(name: str = "ns1", **labels: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pods(**spec: Any) -> Body:
    """A Job of one task whose pods have these fields."""
    return job(task(template=pod_template(**spec)))


def container(**more: Any) -> Body:
    return {"name": "main", "image": "registry.corp/app:1", **more}


def created(name: str, version: str, kind: str) -> Body:
    """A step that creates an object of this kind."""
    manifest = {"apiVersion": version, "kind": kind, "spec": {}}
    return step(name, resource={"manifest": manifest, "success": "true", "failure": "false"})


def labelled(manifest: Body, **labels: str) -> Body:
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}


def judged(
    new: Body, *others: Body, old: Body | None = None, user: str = "", groups: tuple[str, ...] = ()
) -> AdmissionVerdict:
    of = msgspec.structs.replace(review(new, old), user_info=RequestUser(user, groups=groups))
    return validate(of, known(*others))


def patched_job(**spec: Any) -> Body:
    return flow(step("a", patch={"jobSpec": spec}))


REQUESTS = {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
POD = "spec.tasks[0].template.spec"
RUNNING = flow(step("a"), name="other")

# field -> the rest of the policy, an object that violates it, one that does not, and the path of the violation

AROUND = (RUNNING, template(name="there"), namespace())
DENY = {"rules": [{"name": "never", "expression": "false"}]}
TOLERATIONS = [{"key": "gpu", "operator": "Exists"}]


def found(new: Body, **spec: Any) -> list[tuple[str, str]]:
    return [(each.rule, each.path) for each in judged(new, *AROUND, policy(**spec)).policies]
