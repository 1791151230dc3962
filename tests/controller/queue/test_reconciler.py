"""The Queue controller on a fake API server: stored queues whose parents form a cycle."""

import asyncio

from controller.cluster.apply import Applier
from controller.cluster.events import Recorder
from controller.context import ControllerContext
from controller.queue import reconciler as queues
from controller.runtime.manager import Manager
from controller.settings import Settings
from shared.kinds import QUEUE
from shared.kube.cache.cache import Caches, stopped
from tests.shared.kube.fake import FakeServer, serving, until

QUEUES = "/apis/scheduling.volcano.sh/v1beta1/queues"
EVENTS = "/api/v1/events"


def queue(name: str, parent: str, state: str = "Open") -> dict[str, object]:
    metadata = {"name": name, "uid": f"uid-{name}"}
    return {
        "apiVersion": QUEUE.api_version,
        "kind": QUEUE.kind,
        "metadata": metadata,
        "spec": {"parent": parent},
        "status": {"state": state},
    }


def reported(fake: FakeServer) -> dict[str, str]:
    """Queue -> message of its ParentCycle event."""
    events = [event for event in fake.objects.get(EVENTS, {}).values() if event["reason"] == "ParentCycle"]
    return {event["involvedObject"]["name"]: event["message"] for event in events}


async def test_a_cycle_of_stored_parents_is_reported_on_its_queues_and_the_others_continue() -> None:
    fake = FakeServer()
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a"), ("below", "a"), ("other", "root")):
        fake.put(QUEUES, queue(name, parent, "Closing" if name == "other" else "Open"))
    async with serving(fake) as (_, api):
        caches = Caches(api)
        clock = asyncio.get_running_loop().time
        recorder = Recorder(api, "test", "here", now=clock)
        applier = Applier(api, caches, recorder, now=clock)
        context = ControllerContext(api, caches, applier, recorder, Settings(), clock)
        manager, stop = Manager([queues.build(context)], caches, workers=2), asyncio.Event()
        caching, working = asyncio.create_task(caches.run()), asyncio.create_task(manager.run(stop))
        recording = asyncio.create_task(recorder.run())
        try:
            await until(lambda: set(reported(fake)) == {"a", "b", "c"})
            assert "a -> b -> c -> a" in reported(fake)["a"]
            await until(lambda: fake.objects[QUEUES]["", "other"]["status"]["state"] == "Closed")
            stop.set()
            async with asyncio.timeout(5):
                await working
        finally:
            working.cancel()
            recording.cancel()
            await stopped(caching)
