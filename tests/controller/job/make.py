"""Builders of Jobs, valid by default."""

from typing import Any, Final

from controller.plugin_api import KeyPair
from shared.kinds import JOB
from shared.model.types import Body

NOW: Final = 1_767_322_800.0  # 2026-01-02T03:00:00Z

UID: Final = "7d2f"

KEYPAIR: Final = KeyPair("private", "public")


def policy(action: str, *events: str, exit_code: int | None = None, timeout: str | None = None) -> Body:
    body: Body = {"action": action}
    if events:
        body["events"] = list(events)
    if exit_code is not None:
        body["exitCode"] = exit_code
    return {**body, "timeout": timeout} if timeout else body


def task(name: str = "w", replicas: int = 2, *policies: Body, **fields: Any) -> Body:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}
    return {"name": name, "replicas": replicas, "template": template, "policies": list(policies), **fields}


def after(*needs: str, **fields: str) -> Body:
    """`dependsOn` of a task."""
    return {"name": list(needs), **fields}


def job(*tasks: Body, name: str = "demo", metadata: Body | None = None, **spec: Any) -> Body:
    """A stored Job as the mutating webhook leaves it; base job B of the case list when nothing is given."""
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": {
            "name": name,
            "namespace": "ns1",
            "uid": UID,
            "generation": 1,
            "resourceVersion": "1",
            **(metadata or {}),
        },
        "spec": {"queue": "default", "schedulerName": "volcano", "tasks": list(tasks or (task(),)), **spec},
    }
