"""`/flows/NAMESPACE/NAME`: one JobFlow, its head and the chosen tab."""

import time
from collections.abc import Sequence

from aiohttp import web

from drawing.flow_view import FlowView, flow_view
from drawing.nested import places_of_steps, tasks_of_steps, with_sub_flows
from shared.kinds import JOBFLOW
from shared.model.types import Body
from web.context import caller
from web.pages.flows.asked import approvals_asked
from web.pages.flows.below import sub_flows, topics_below
from web.pages.flows.pods import flow_pods
from web.pages.flows.shown import FlowShown
from web.pages.flows.tabs import TABS, FlowTab
from web.pages.queries import one_of
from web.render import page
from web.views.buttons import offered
from web.views.flows.head import flow_head
from web.views.flows.sub_flows import origins


async def flow(request: web.Request) -> web.StreamResponse:
    namespace, name = request.match_info["namespace"], request.match_info["name"]
    body = await caller(request).api.get(JOBFLOW, namespace, name)
    tab = TABS[one_of(request, "tab", tuple(TABS))]
    below = await sub_flows(request, body)
    places = places_of_steps(body, below)
    whole = with_sub_flows(body, below)
    view = await _view(request, body, below, tab, whole)
    shown = FlowShown(request, body, whole, places, view, time.time())
    pods = (tab.pods or tab.watches_pods) and not view.over
    # Jobs of a flow begin with its name, so this is told of no other flow's pods but of flows with a longer name.
    topics = (f"jobflows/{namespace}/{name}", *((f"pods/{namespace}/{name}-*",) if pods else ()), *topics_below(body))
    values = {
        "section": "flows",
        "head": flow_head(body, flow_view(body)),
        "origins": origins(body),
        "offered": offered(JOBFLOW, body),
        "view": view,
        "step_url": shown.step_url,
        "tab": tab,
        "tabs": tuple(TABS.values()),
        "now": shown.now,
        "topics": topics,
        **await approvals_asked(request, places),
        **await tab.values(shown),
    }
    return page(request, tab.template, values)


async def _view(request: web.Request, body: Body, below: Sequence[Body], tab: FlowTab, whole: Body) -> FlowView:
    """With the pods of its steps, where the tab shows them."""
    if not tab.pods:
        return flow_view(whole)
    pods = await flow_pods(request, body["metadata"]["namespace"])
    return flow_view(whole, tasks_of_steps(body, below, pods))
