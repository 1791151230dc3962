"""`/queues`: the tree of queues, and who waits in them."""

import time

from aiohttp import web

from shared.kinds import PODGROUP, QUEUE
from shared.kube.client.errors import ApiError
from shared.model.types import Body
from web.context import caller
from web.render import page
from web.views.buttons import offered
from web.views.queue_tree import queue_tree


async def queues(request: web.Request) -> web.StreamResponse:
    api = caller(request).api
    found = [body async for body in api.list(QUEUE)]
    groups: list[Body] = []
    fault = ""
    try:
        groups = [body async for body in api.list(PODGROUP)]
    except ApiError as error:
        fault = error.message
    nodes = queue_tree(found, groups)
    values = {
        "section": "queues",
        "nodes": nodes,
        "offered": {node.name: offered(QUEUE, node.body) for node in nodes},
        "fault": fault,
        "now": time.time(),
        "topics": ("queues", *(() if fault else ("podgroups/*",))),
    }
    return page(request, "queues.html", values)
