"""`/flows`: the list of JobFlows."""

import time
from typing import Final

from aiohttp import web

from shared.kinds import JOBFLOW
from web.context import SETTINGS, caller
from web.pages.queries import label_selector, namespace_of, number, one_of, text
from web.render import page
from web.views.flow_list import SORTS, FlowFilter, flow_row, listing

_ALL: Final = "*"


async def flows(request: web.Request) -> web.StreamResponse:
    namespace, selector = namespace_of(request), label_selector(request)
    api = caller(request).api
    rows = [flow_row(body) async for body in api.list(JOBFLOW, namespace, label_selector=selector)]
    wanted = FlowFilter(
        phase=text(request, "phase"),
        name=text(request, "name"),
        sort=one_of(request, "sort", SORTS),
        page=number(request, "page", 1),
    )
    now = time.time()
    values = {
        "section": "flows",
        "namespace": namespace,
        "selector": selector,
        "filter": wanted,
        "listing": listing(rows, wanted, now),
        "now": now,
        "topics": (f"jobflows/{namespace or _ALL}",),
        "default_namespace": request.app[SETTINGS].namespace,
    }
    return page(request, "flows.html", values)
