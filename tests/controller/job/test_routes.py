"""Which changed object wakes which Job."""

import asyncio

from controller.job.observe.caches import JobCaches
from controller.job.routes import node_wakes
from tests.controller.gang.make import node
from tests.controller.support import context_on
from tests.shared.kube.fake import FakeServer, serving


async def test_names_of_nodes_are_forgotten_once_no_pod_is_bound_to_them() -> None:
    """A cluster whose number of nodes changes with its load would add names until a restart."""
    async with serving(FakeServer()) as (_, api):
        caches = JobCaches(context_on(api, asyncio.get_running_loop().time))
        caches.pods.assume({"metadata": {"name": "p", "namespace": "ns1", "uid": "1"}, "spec": {"nodeName": "n2"}})
        caches.missing_nodes |= {"n1", "n2"}
        assert not list(node_wakes(caches)(node("n3"), None))
        assert caches.missing_nodes == {"n2"}
