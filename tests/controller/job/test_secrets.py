"""The Secrets of Jobs' plugins are read one by one: when a Job needs them, and not on every pass."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.job import reconciler
from controller.job.observe import plugin_secrets
from shared.key import Key
from shared.kinds import JOB, POD, Kind
from shared.kube.cache.cache import stopped
from shared.kube.client.api import Api
from shared.model.types import Body
from tests.controller.job.make import job, task
from tests.controller.job.test_reconciler import JOBS, PODS, SECRETS, names, phase, reason, report, stored
from tests.controller.support import context_on
from tests.shared.kube.fake import FakeServer, serving, status, until

KEY = Key("ns1", "demo")
READS, MADE = "GET secrets", "POST secrets"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


class Looker:
    """Passes of the Job controller, one at a time, on its own clocks; `start` is what a new process does."""

    def __init__(self, api: Api) -> None:
        self.api, self.clock, self.steady = api, Clock(), Clock()
        self.context = self.start()

    def start(self) -> ControllerContext:
        self.context = context_on(self.api, self.clock, steady=self.steady)
        self.reconciler = reconciler.build(self.context).reconciler
        return self.context

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        caching = asyncio.create_task(self.context.caches.run())
        await self.context.caches.synced()
        try:
            yield
        finally:
            await stopped(caching)

    async def phase_changes(self) -> float | None:
        """Passes until one has nothing more to do at once."""
        for _ in range(20):
            next_read = await self.reconciler.reconcile(KEY)
            if next_read != 0.0:
                return next_read
        raise AssertionError("it never settles")


@asynccontextmanager
async def looking(fake: FakeServer, **spec: Any) -> AsyncIterator[Looker]:
    fake.put(JOBS, job(task("w", 2), plugins={"ssh": []}, **spec))
    async with serving(fake) as (_, api):
        looker = Looker(api)
        async with looker.running():
            yield looker


async def observed(looker: Looker, fake: FakeServer) -> None:
    """Until the watches have delivered everything."""
    await until(
        lambda: all(
            _versions(looker, kind) == _stored_versions(fake, path) for path, kind in ((JOBS, JOB), (PODS, POD))
        )
    )


def _versions(looker: Looker, kind: Kind) -> set[str]:
    cache = looker.context.caches.of(kind)
    return {body["metadata"]["resourceVersion"] for body in cache.list()} if cache is not None else set()


def _stored_versions(fake: FakeServer, collection: str) -> set[str]:
    return {body["metadata"]["resourceVersion"] for body in fake.objects.get(collection, {}).values()}


def key_of(fake: FakeServer) -> str:
    return str(stored(fake, SECRETS, "demo-ssh")["data"]["id_rsa"])


async def test_the_secret_is_read_once_and_created_once_for_many_passes(fake: FakeServer) -> None:
    async with looking(fake) as looker:
        await looker.phase_changes()
        assert names(fake, SECRETS) == ["demo-ssh"]
        for _ in range(5):
            await looker.phase_changes()
        assert (fake.calls[READS], fake.calls[MADE], fake.calls["LIST secrets"]) == (1, 1, 0)


async def test_a_job_without_the_ssh_plugin_reads_no_secret(fake: FakeServer) -> None:
    fake.put(JOBS, job(task("w", 1), plugins={"svc": []}))
    async with serving(fake) as (_, api):
        looker = Looker(api)
        async with looker.running():
            await looker.phase_changes()
    assert fake.calls[READS] == 0


async def test_a_restarted_controller_keeps_the_keys(fake: FakeServer) -> None:
    async with looking(fake) as looker:
        await looker.phase_changes()
        before = key_of(fake)
        looker.start()
        async with looker.running():
            await looker.phase_changes()
            assert (key_of(fake), fake.calls[MADE], fake.calls["PATCH secrets"]) == (before, 1, 0)


async def test_a_deleted_secret_is_created_again_while_pods_wait(fake: FakeServer) -> None:
    async with looking(fake) as looker:
        await looker.phase_changes()
        looker.steady.now += 1
        await looker.phase_changes()
        assert await looker.phase_changes() == plugin_secrets.WAITING
        fake.remove(SECRETS, "ns1", "demo-ssh")
        looker.steady.now += plugin_secrets.WAITING
        await looker.phase_changes()
        assert names(fake, SECRETS) == ["demo-ssh"]


async def test_the_secret_is_read_before_a_restart_creates_pods(fake: FakeServer) -> None:
    policies = [{"event": "PodFailed", "action": "RestartJob"}]
    async with looking(fake, policies=policies) as looker:
        await looker.phase_changes()
        fake.remove(SECRETS, "ns1", "demo-ssh")
        report(fake, "Failed", "demo-w-0", "demo-w-1")
        await observed(looker, fake)
        await looker.phase_changes()
        assert names(fake, SECRETS) == ["demo-ssh"]
        assert stored(fake, JOBS)["status"]["retryCount"] == 1


async def test_a_deleted_secret_is_created_again_when_the_job_is_scaled(fake: FakeServer) -> None:
    async with looking(fake) as looker:
        await looker.phase_changes()
        fake.remove(SECRETS, "ns1", "demo-ssh")
        body = stored(fake, JOBS)
        fake.put(JOBS, {**body, "spec": {**body["spec"], "tasks": [task("w", 3)]}})
        await observed(looker, fake)
        with pytest.raises(StaleError):
            await looker.phase_changes()
        await looker.phase_changes()
        assert names(fake, SECRETS) == ["demo-ssh"]
        assert names(fake, PODS) == ["demo-w-0", "demo-w-1", "demo-w-2"]


async def test_a_secret_of_another_owner_is_reported_until_it_is_deleted(fake: FakeServer) -> None:
    fake.put(
        SECRETS, {"kind": "Secret", "metadata": {"name": "demo-ssh", "namespace": "ns1"}, "data": {"id_rsa": "eA=="}}
    )
    async with looking(fake) as looker:
        await looker.phase_changes()
        looker.steady.now += 1
        assert await looker.phase_changes() == plugin_secrets.TAKEN
        assert reason(fake) == "PluginConflict"
        assert names(fake, PODS) == []
        fake.remove(SECRETS, "ns1", "demo-ssh")
        looker.steady.now += plugin_secrets.TAKEN
        await looker.phase_changes()
        assert names(fake, PODS) == ["demo-w-0", "demo-w-1"]
        assert key_of(fake) != "eA=="


async def test_the_secret_of_a_job_that_ended_during_downtime_is_deleted(fake: FakeServer) -> None:
    async with looking(fake) as looker:
        await looker.phase_changes()
        looker.steady.now += 1
        report(fake, "Succeeded", "demo-w-0", "demo-w-1")
        await observed(looker, fake)
        fake.before = unavailable_deletes
        with pytest.raises(Exception, match="not now"):
            await looker.phase_changes()
        assert phase(fake) == "Completed"
        fake.before = None
        looker.start()
        async with looker.running():
            await looker.phase_changes()
            assert names(fake, SECRETS) == []
            reads = fake.calls[READS]
            looker.steady.now += plugin_secrets.WAITING
            await looker.phase_changes()
            assert fake.calls[READS] == reads


async def unavailable_deletes(request: Any) -> Any:
    return status(500, "InternalError", "not now") if request.method == "DELETE" else None


async def test_a_new_job_of_a_deleted_jobs_name_gets_its_own_keys(fake: FakeServer) -> None:
    async with looking(fake) as looker:
        await looker.phase_changes()
        first = key_of(fake)
        for collection in (JOBS, PODS, SECRETS):
            for namespace, name in list(fake.objects.get(collection, {})):
                fake.remove(collection, namespace, name)
        await observed(looker, fake)
        assert await looker.phase_changes() is None
        next_read: Body = job(task("w", 2), plugins={"ssh": []})
        next_read["metadata"]["uid"] = "another"
        fake.put(JOBS, next_read)
        await observed(looker, fake)
        await looker.phase_changes()
        assert key_of(fake) != first


async def test_a_clock_that_is_set_back_does_not_delay_the_status(fake: FakeServer) -> None:
    async with looking(fake) as looker:
        await looker.phase_changes()
        looker.steady.now += 1
        await looker.phase_changes()
        report(fake, "Running", "demo-w-0")
        await observed(looker, fake)
        looker.clock.now -= 3600
        looker.steady.now += 1
        await looker.phase_changes()
        assert stored(fake, JOBS)["status"]["running"] == 1
