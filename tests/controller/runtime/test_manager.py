"""A manager that stands by, and one that leads."""

import asyncio

import pytest

from controller.runtime.controller import Controller, Route
from controller.runtime.manager import Manager
from controller.runtime.routes import itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import JOB
from shared.kube.cache.cache import Caches, stopped
from tests.shared.kube.fake import FakeServer, serving, until

JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"


class Seen:
    """A reconciler that notes its keys."""

    def __init__(self) -> None:
        self.keys: list[Key] = []

    async def reconcile(self, key: Key) -> float | None:
        self.keys.append(key)
        return None


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


async def test_a_standby_queues_no_keys_and_a_leader_processes_all_objects(fake: FakeServer) -> None:
    """Seen in the fault runs: a standby kept the key of every object that had ever existed."""
    async with serving(fake) as (_, api):
        caches, queue, seen = Caches(api), WorkQueue("test"), Seen()
        cache = caches.want(JOB)
        controller = Controller("test", queue, seen, (Route(cache, itself),), primary=cache)
        manager, stop = Manager([controller], caches, workers=2), asyncio.Event()
        caching = asyncio.create_task(caches.run())
        await caches.synced()
        for name in ("gone", "stays"):
            fake.put(JOBS, {"metadata": {"name": name, "namespace": "ns"}})
        await until(lambda: len(cache) == 2)
        fake.remove(JOBS, "ns", "gone")
        await until(lambda: len(cache) == 1)
        assert len(queue) == 0
        working = asyncio.create_task(manager.run(stop))
        await until(lambda: seen.keys == [Key("ns", "stays")])
        fake.put(JOBS, {"metadata": {"name": "new", "namespace": "ns"}})
        await until(lambda: seen.keys[1:] == [Key("ns", "new")])
        stop.set()
        async with asyncio.timeout(5):
            await working
        await stopped(caching)
