"""`/flows/NAMESPACE/NAME`: one JobFlow, its head and the chosen tab."""

import time

from aiohttp import web

from drawing.flow_view import flow_view
from shared.kinds import JOBFLOW
from web.context import caller
from web.pages.flows.asked import approvals_asked
from web.pages.flows.below import topics_below, whole_flow
from web.pages.flows.shown import FlowShown
from web.pages.flows.tabs import TABS
from web.pages.queries import one_of
from web.render import page
from web.views.buttons import offered
from web.views.flows.head import flow_head
from web.views.flows.sub_flows import origins
from web.views.param_fields import fields_of_values


async def flow(request: web.Request) -> web.StreamResponse:
    namespace, name = request.match_info["namespace"], request.match_info["name"]
    body = await caller(request).api.get(JOBFLOW, namespace, name)
    tab = TABS[one_of(request, "tab", tuple(TABS))]
    whole = await whole_flow(request, body, pods=tab.pods)
    shown = FlowShown(request, body, whole.body, whole.places, whole.view, time.time())
    pods = (tab.pods or tab.watches_pods) and not shown.view.over
    # Names of Jobs begin with that of their flow, so the topic covers its pods, and those of flows whose longer name begins alike.
    topics = (f"jobflows/{namespace}/{name}", *((f"pods/{namespace}/{name}-*",) if pods else ()), *topics_below(body))
    values = {
        "section": "flows",
        "head": flow_head(body, whole.view if whole.body is body else flow_view(body)),
        "origins": origins(body),
        "fields": fields_of_values((body.get("spec") or {}).get("params") or ()),
        "offered": offered(JOBFLOW, body),
        "view": shown.view,
        "step_url": shown.step_url,
        "tab": tab,
        "tabs": tuple(TABS.values()),
        "now": shown.now,
        "topics": topics,
        **await approvals_asked(request, whole.places),
        **await tab.values(shown),
    }
    return page(request, tab.template, values)
