"""`/flows`: the list of JobFlows."""

import time
from typing import Any, Final

from aiohttp import web

from shared.kinds import JOBFLOW
from web.context import HUB, caller
from web.pages.queries import ALL_NAMESPACES, label_selector, namespace_of, number, one_of, text
from web.render import page
from web.views.buttons import BULK, BUTTONS
from web.views.flows.listing import SORTS, FlowFilter, FlowListing, flow_row, listing, one_page
from web.views.paging import PAGE_ROWS

PATIENCE_SECONDS: Final = 0.1  # for the watch to know every flow, before the API server's first page has to do


async def flows(request: web.Request) -> web.StreamResponse:
    """Sorted and filtered from what the person's watch knows; until it knows all, a page in the API server's order."""
    namespace, selector = namespace_of(request), label_selector(request)
    wanted = FlowFilter(
        phase=text(request, "phase"),
        name=text(request, "name"),
        sort=one_of(request, "sort", SORTS),
        page=number(request, "page", 1),
    )
    now = time.time()
    values: dict[str, Any] = {
        "section": "flows",
        "namespace": namespace,
        "selector": selector,
        "filter": wanted,
        "now": now,
        "bulk": [BUTTONS[JOBFLOW.plural][1][name] for name in BULK],
        "topics": (f"jobflows/{namespace or ALL_NAMESPACES}",),
    }
    return page(request, "flows.html", {**values, "listing": await _listing(request, namespace, selector, wanted, now)})


async def _listing(request: web.Request, namespace: str, selector: str, wanted: FlowFilter, now: float) -> FlowListing:
    who = caller(request)
    known = request.app[HUB].want(who, JOBFLOW, namespace)
    token = text(request, "continue")
    if not token and not selector and await known.ready(PATIENCE_SECONDS):
        return listing(known.rows, wanted, now)
    if selector or known.fault is not None:  # the API server knows the grammar of selectors; or nothing may be watched
        found = [flow_row(body) async for body in who.api.list(JOBFLOW, namespace, label_selector=selector)]
        return listing(found, wanted, now)
    first = await who.api.page(JOBFLOW, namespace, limit=PAGE_ROWS, continue_token=token)
    rows = [flow_row(body) for body in first.items]
    if token or first.continue_token:
        return one_page(rows, first.continue_token, first.remaining)
    return listing(rows, wanted, now)
