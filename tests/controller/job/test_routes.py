"""Which changed object wakes which Job."""

import asyncio
import time

from controller.job.observe.caches import JobCaches
from controller.job.routes import node_wakes
from shared.key import Key
from shared.kinds import JOB
from shared.kube.cache.cache import stopped
from shared.model.types import Body
from tests.controller.support import context_on
from tests.shared.kube.fake import FakeServer, serving, until

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"
OWNER = {"apiVersion": JOB.api_version, "kind": "Job", "name": "j", "uid": "u", "controller": True}


def pod(name: str, node: str) -> Body:
    metadata = {"name": name, "namespace": "ns", "ownerReferences": [OWNER]}
    return {"metadata": metadata, "spec": {"nodeName": node}}


async def test_the_end_and_the_return_of_a_node_wake_the_jobs_of_its_pods_but_the_first_list_wakes_none() -> None:
    woken: list[Key] = []
    fake = FakeServer()
    async with serving(fake) as (_, api):
        fake.put(NODES, {"metadata": {"name": "n1"}})
        fake.put(NODES, {"metadata": {"name": "n2"}})
        fake.put(PODS, pod("p", "n1"))
        context = context_on(api, time.time)
        caches = JobCaches(context)
        wakes = node_wakes(caches)
        caches.nodes.on_change(lambda old, new: woken.extend(wakes(old, new)))
        running = asyncio.create_task(context.caches.run())
        try:
            await until(lambda: caches.nodes.has_synced and caches.pods.has_synced)
            assert woken == []
            fake.remove(NODES, "", "n2")
            fake.remove(NODES, "", "n1")
            await until(lambda: not len(caches.nodes))
            assert woken == [Key("ns", "j")]
            fake.put(NODES, {"metadata": {"name": "n1"}})
            await until(lambda: len(caches.nodes) == 1)
            assert woken == [Key("ns", "j")] * 2
        finally:
            await stopped(running)
