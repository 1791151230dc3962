"""The Job controller on a fake API server: what wakes it, what it reads, what it writes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from controller.gang.admission import GateAdmission
from controller.gang.backends.gate import GateBackend
from controller.gang.settings import AdmissionSettings
from controller.gang_api import UngatedBackend, VolcanoBackend
from controller.job import reconciler as jobs
from controller.job.observe.models import parsed_job
from controller.runtime.command_targets import target_key
from shared.key import Key
from shared.kinds import COMMAND as COMMAND_KIND
from shared.kinds import JOB
from shared.model.types import Body
from tests.controller.gang.make import node, queue
from tests.controller.job.make import job, task
from tests.controller.support import context_on, running
from tests.shared.kube.fake import FakeServer, serving, status, until

JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"
GROUPS = "/apis/scheduling.volcano.sh/v1beta1/podgroups"
COMMANDS = "/apis/bus.volcano.sh/v1alpha1/commands"
QUEUES = "/apis/scheduling.volcano.sh/v1beta1/queues"
PODS = "/api/v1/pods"
NODES = "/api/v1/nodes"
CLAIMS = "/api/v1/persistentvolumeclaims"
SECRETS = "/api/v1/secrets"
SERVICES = "/api/v1/services"


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@asynccontextmanager
async def controlled(fake: FakeServer, backend: Any = None) -> AsyncIterator[None]:
    async with serving(fake) as (_, api):
        context = context_on(api, asyncio.get_running_loop().time, gang=backend, steady=time.monotonic)
        async with running(context, jobs.build(context)):
            yield


def stored(fake: FakeServer, collection: str, name: str = "demo") -> Body:
    return fake.objects.get(collection, {}).get(("ns1", name)) or {}


def phase(fake: FakeServer) -> str:
    return str(stored(fake, JOBS).get("status", {}).get("state", {}).get("phase", ""))


def reason(fake: FakeServer) -> str:
    return str(stored(fake, JOBS).get("status", {}).get("state", {}).get("reason", ""))


def names(fake: FakeServer, collection: str) -> list[str]:
    return sorted(name for _, name in fake.objects.get(collection, {}))


def report(fake: FakeServer, pod_phase: str, *pods: str) -> None:
    for name in pods:
        fake.put(PODS, {**stored(fake, PODS, name), "status": {"phase": pod_phase}})


async def test_a_job_is_driven_to_its_end(fake: FakeServer) -> None:
    async with controlled(fake):
        fake.put(JOBS, job(task("w", 2), plugins={"ssh": []}))
        await until(lambda: names(fake, PODS) == ["demo-w-0", "demo-w-1"])
        assert names(fake, GROUPS) == ["demo-7d2f"]
        assert set(stored(fake, SECRETS, "demo-ssh")["data"]) == {"id_rsa", "id_rsa.pub", "authorized_keys", "config"}
        report(fake, "Running", "demo-w-0", "demo-w-1")
        await until(lambda: phase(fake) == "Running")
        report(fake, "Succeeded", "demo-w-0", "demo-w-1")
        await until(lambda: phase(fake) == "Completed")
        await until(lambda: names(fake, GROUPS) == [] and names(fake, SECRETS) == [])


async def test_pods_wait_for_volcanos_scheduler_to_admit_the_group(fake: FakeServer) -> None:
    async with controlled(fake, VolcanoBackend()):
        fake.put(JOBS, job(task("w", 1)))
        await until(lambda: phase(fake) == "Pending" and names(fake, GROUPS) == ["demo-7d2f"])
        assert names(fake, PODS) == []
        fake.put(GROUPS, {**stored(fake, GROUPS, "demo-7d2f"), "status": {"phase": "Inqueue"}})
        await until(lambda: names(fake, PODS) == ["demo-w-0"])


async def test_a_command_wakes_its_job_and_is_gone_afterwards(fake: FakeServer) -> None:
    async with controlled(fake):
        fake.put(JOBS, job(task("w", 1)))
        await until(lambda: names(fake, PODS) == ["demo-w-0"])
        uid = stored(fake, JOBS)["metadata"]["uid"]
        target = {"apiVersion": JOB.api_version, "kind": "Job", "name": "demo", "uid": uid}
        fake.put(COMMANDS, {"metadata": {"name": "c", "namespace": "ns1"}, "action": "AbortJob", "target": target})
        await until(lambda: phase(fake) == "Aborted" and names(fake, COMMANDS) == [])
        assert names(fake, PODS) == []


async def test_a_command_for_a_recreated_job_is_not_judged_by_the_old_job(fake: FakeServer) -> None:
    """The cache still shows the Job that is gone when the Command for its successor comes."""
    async with serving(fake) as (_, api):
        context = context_on(api, asyncio.get_running_loop().time, gang=UngatedBackend(), steady=time.monotonic)
        reconciler = jobs.build(context).reconciler
        first = {**fake.put(JOBS, job(task("w", 1)))}
        context.caches.assume(JOB, {**first, "metadata": {**first["metadata"]}})
        fake.remove(JOBS, "ns1", "demo")
        second = job(task("w", 1))
        second["metadata"]["uid"] = "second"
        fake.put(JOBS, second)
        target = {"apiVersion": JOB.api_version, "kind": "Job", "name": "demo", "uid": "second"}
        metadata = {"name": "c", "namespace": "ns1"}
        command = fake.put(COMMANDS, {"metadata": metadata, "action": "AbortJob", "target": target})
        context.caches.assume(COMMAND_KIND, {**command})
        for _ in range(4):
            await reconciler.reconcile(Key("ns1", "demo"))
        assert phase(fake) == "Aborted"
        assert names(fake, COMMANDS) == []
        assert fake.calls["GET jobs"] == 1


async def test_a_command_for_a_deleted_job_does_not_affect_a_new_job_of_its_name(fake: FakeServer) -> None:
    async with controlled(fake):
        fake.put(JOBS, job(task("w", 1)))
        await until(lambda: names(fake, PODS) == ["demo-w-0"])
        target = {"apiVersion": JOB.api_version, "kind": "Job", "name": "demo", "uid": "gone"}
        fake.put(COMMANDS, {"metadata": {"name": "c", "namespace": "ns1"}, "action": "AbortJob", "target": target})
        await until(lambda: names(fake, COMMANDS) == [])
        await until(lambda: phase(fake) == "Pending")
        assert names(fake, PODS) == ["demo-w-0"]


async def test_a_job_is_reconciled_when_what_it_waits_for_appears(fake: FakeServer) -> None:
    async with controlled(fake):
        volumes = [{"mountPath": "/d", "volumeClaimName": "data"}]
        fake.put(JOBS, job(task("w", 1), queue="q1", volumes=volumes))
        await until(lambda: reason(fake) == "QueueNotFound")
        fake.put(QUEUES, {"metadata": {"name": "q1"}})
        await until(lambda: reason(fake) == "VolumeClaimNotFound")
        fake.put(CLAIMS, {"metadata": {"name": "data", "namespace": "ns1"}})
        await until(lambda: names(fake, PODS) == ["demo-w-0"])


async def test_a_claim_of_somebody_else_that_has_the_name_of_one_to_create_is_not_mounted(fake: FakeServer) -> None:
    fake.put(CLAIMS, {"kind": "PersistentVolumeClaim", "metadata": {"name": "demo-pvc-0", "namespace": "ns1"}})
    async with controlled(fake):
        fake.put(JOBS, job(task("w", 1), volumes=[{"mountPath": "/d", "volumeClaim": {}}]))
        await until(lambda: reason(fake) == "FailedCreate")
        assert "demo-pvc-0" in stored(fake, JOBS)["status"]["state"]["message"]
        assert names(fake, PODS) == []


async def test_a_service_of_the_users_own_serves_the_job(fake: FakeServer) -> None:
    fake.put(SERVICES, {"kind": "Service", "metadata": {"name": "demo", "namespace": "ns1"}})
    async with controlled(fake):
        fake.put(JOBS, job(task("w", 1), plugins={"svc": []}))
        await until(lambda: names(fake, PODS) == ["demo-w-0"])
        assert "ownerReferences" not in stored(fake, SERVICES)["metadata"]


async def test_a_job_that_cannot_be_read_is_left_alone_and_others_continue(fake: FakeServer) -> None:
    async with controlled(fake):
        broken = job(task("w", 1), name="broken")
        broken["spec"]["tasks"] = "none"
        fake.put(JOBS, broken)
        fake.put(JOBS, job(task("w", 1)))
        await until(lambda: names(fake, PODS) == ["demo-w-0"])


def test_an_unreadable_status_counts_as_empty() -> None:
    body = {**job(), "status": {"state": {"phase": "Dancing"}}}
    assert parsed_job(body).status.state.phase is None


COMMAND = {"metadata": {"name": "c", "namespace": "ns1"}}
TARGETS = {
    "a Job": ({"apiVersion": JOB.api_version, "kind": "Job", "name": "x"}, [Key("ns1", "x")]),
    "a Job of another group": ({"apiVersion": "batch/v1", "kind": "Job", "name": "x"}, []),
    "a Queue": ({"apiVersion": "scheduling.volcano.sh/v1beta1", "kind": "Queue", "name": "x"}, []),
    "nothing": ({}, []),
}


@pytest.mark.parametrize(("target", "want"), TARGETS.values(), ids=TARGETS.keys())
def test_the_target_of_a_command(target: Body, want: list[Key]) -> None:
    assert list(target_key(JOB, {**COMMAND, "target": target})) == want


async def test_a_job_is_told_when_the_node_of_its_pods_is_gone_and_when_it_is_back(fake: FakeServer) -> None:
    node = {"metadata": {"name": "n1"}, "status": {}}
    async with controlled(fake):
        fake.put(NODES, node)
        fake.put(JOBS, job(task("w", 1)))
        await until(lambda: names(fake, PODS) == ["demo-w-0"])
        pod = stored(fake, PODS, "demo-w-0")
        fake.put(PODS, {**pod, "spec": {**pod["spec"], "nodeName": "n1"}, "status": {"phase": "Running"}})
        await until(lambda: reason(fake) == "PodsRunning")
        fake.remove(NODES, "", "n1")
        await until(lambda: reason(fake) == "PodProblem")
        assert "node n1 no longer exists" in stored(fake, JOBS)["status"]["state"]["message"]
        fake.put(NODES, {"metadata": {"name": "n1"}, "status": {}})
        await until(lambda: reason(fake) == "PodsRunning")
        assert names(fake, PODS) == ["demo-w-0"]


async def test_no_room_stays_booked_for_pods_that_are_not_created_since_another_is_refused(fake: FakeServer) -> None:
    async def refuse(request: web.Request) -> web.Response | None:
        refused = request.method == "POST" and request.path.endswith("/pods")
        return status(403, "Forbidden", "the namespace is being terminated") if refused else None

    fake.before = refuse
    async with serving(fake) as (_, api):
        clock = asyncio.get_running_loop().time
        admission = GateAdmission(AdmissionSettings(), clock)
        admission.cache.update_queue(None, queue("default"))
        admission.cache.update_node(None, node("n1"))
        context = replace(context_on(api, clock, gang=GateBackend("default-scheduler")), admission=admission)
        async with running(context, jobs.build(context)):
            fake.put(JOBS, job(task("w", 4), minAvailable=1))
            await until(lambda: reason(fake) == "FailedCreate")
            assert fake.calls["POST pods"] < 4
            assert len(admission.cache.assumed.booked) == 0
