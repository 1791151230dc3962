"""`/flows/NAMESPACE/NAME`: one JobFlow, its head and the chosen tab."""

import time

from aiohttp import web

from drawing.flow_view import FlowView, flow_view, tasks_by_step
from shared.kinds import JOBFLOW
from shared.model.types import Body
from web.context import caller
from web.pages.flows.pods import flow_pods
from web.pages.flows.shown import FlowShown
from web.pages.flows.tabs import TABS
from web.pages.queries import one_of
from web.render import page
from web.views.buttons import offered
from web.views.flows.head import flow_head


async def flow(request: web.Request) -> web.StreamResponse:
    namespace, name = request.match_info["namespace"], request.match_info["name"]
    api = caller(request).api
    body = await api.get(JOBFLOW, namespace, name)
    tab = TABS[one_of(request, "tab", tuple(TABS))]
    view = await _view(request, body) if tab.pods else flow_view(body)
    shown = FlowShown(request, body, view, time.time())
    pods = (tab.pods or tab.watches_pods) and not view.over
    # Jobs of a flow begin with its name, so this is told of no other flow's pods but of flows with a longer name.
    topics = (f"jobflows/{namespace}/{name}", *((f"pods/{namespace}/{name}-*",) if pods else ()))
    values = {
        "section": "flows",
        "head": flow_head(body, view),
        "offered": offered(JOBFLOW, body),
        "view": view,
        "body": body,
        "tab": tab,
        "tabs": tuple(TABS.values()),
        "now": shown.now,
        "topics": topics,
        **await tab.values(shown),
    }
    return page(request, tab.template, values)


async def _view(request: web.Request, body: Body) -> FlowView:
    """With the pods of its steps."""
    return flow_view(body, tasks_by_step(body, await flow_pods(request, body["metadata"]["namespace"])))
