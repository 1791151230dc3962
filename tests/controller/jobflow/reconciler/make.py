"""A JobFlow controller on a fake API server, and what it has stored there."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from controller.jobflow import wiring as flows
from controller.settings import Settings
from shared.kube.client.api import Api
from shared.model.types import Body
from tests.controller.support import context_on, running
from tests.shared.kube.fake import FakeServer, status

FLOWS = "/apis/flow.volcano.sh/v1alpha1/jobflows"

TEMPLATES = "/apis/flow.volcano.sh/v1alpha1/jobtemplates"

JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"

COMMANDS = "/apis/bus.volcano.sh/v1alpha1/commands"

PODS = "/api/v1/pods"

QUEUES = "/apis/scheduling.volcano.sh/v1beta1/queues"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def template(name: str) -> Body:
    pod = {"spec": {"containers": [{"name": "c", "image": "x"}]}}
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": {"tasks": [{"name": "m", "template": pod}]}}


def step(name: str, *targets: str, **fields: Any) -> Body:
    return {"name": name, **({"dependsOn": {"targets": list(targets)}} if targets else {}), **fields}


def flow(*steps: Body, name: str = "f", **spec: Any) -> Body:
    return {"metadata": {"name": name, "namespace": "ns", "generation": 1}, "spec": {"flows": list(steps), **spec}}


@asynccontextmanager
async def controlling(api: Api, clock: Clock, settings: Settings | None = None) -> AsyncIterator[None]:
    """A controller of its own, as after a start; it is stopped afterwards."""
    given = settings or Settings(job_controller=False)
    context = context_on(api, clock, steady=time.monotonic, settings=given)
    async with running(context, flows.build(context)):
        yield


def jobs(fake: FakeServer) -> list[str]:
    return [name for _, name in fake.objects.get(JOBS, {})]


def end(fake: FakeServer, name: str, phase: str = "Completed") -> None:
    job = orjson.loads(orjson.dumps(fake.objects[JOBS]["ns", name]))
    fake.put(JOBS, {**job, "status": {"state": {"phase": phase, "lastTransitionTime": "2027-01-15T08:00:00Z"}}})


def state(fake: FakeServer, name: str = "f") -> str:
    found = fake.objects[FLOWS]["ns", name].get("status") or {}
    return str(found.get("state", {}).get("phase", ""))


def reason(fake: FakeServer, place: int = 0) -> str:
    found = fake.objects[FLOWS]["ns", "f"].get("status") or {}
    steps = found.get("steps") or []
    return str(steps[place].get("reason", "")) if steps else ""


def pod(uid: str, message: str) -> Body:
    owner = {"kind": "Job", "name": "f-a", "uid": uid, "controller": True, "apiVersion": "batch.volcano.sh/v1alpha1"}
    labels = {"volcano.sh/job-name": "f-a", "volcano.sh/task-spec": "m", "volcano.sh/task-index": "0"}
    terminated = {"exitCode": 0, "message": message}
    return {
        "metadata": {"name": "f-a-m-0", "namespace": "ns", "labels": labels, "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "c"}]},
        "status": {
            "phase": "Succeeded",
            "containerStatuses": [{"name": "c", "state": {"terminated": terminated}}],
        },
    }


def quota(fake: FakeServer, most: int) -> Any:
    """A hook that lets no more than `most` Jobs be made."""

    async def full(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST" and request.path.endswith("/jobs") and len(jobs(fake)) >= most:
            return status(403, "Forbidden", "exceeded quota")
        return None

    return full
