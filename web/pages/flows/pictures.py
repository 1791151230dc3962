"""The tabs of a JobFlow with pictures: graph and timeline."""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web
from markupsafe import Markup

from drawing.graph_model import Drawing, Undrawable, drawing
from drawing.layers import Bar, Layers
from drawing.page import Links, graph_element, legend_samples, timeline_element
from drawing.parts import VISIBLE, chosen, legible
from drawing.svg.style import style
from drawing.timeline.rows import timeline
from web.addresses import address_in
from web.context import SETTINGS
from web.pages.flows.pods import flow_pods
from web.pages.flows.shown import FlowShown
from web.views.flows.graph_query import front, graph_query


async def graph_values(shown: FlowShown) -> Mapping[str, Any]:
    query = graph_query(shown.request.query, shown.view.steps)
    try:
        drawn = drawing(shown.whole, live=True)
    except Undrawable as fault:
        return {"graph": None, "fault": str(fault)}
    picture = chosen(drawn, query.choice)
    element = graph_element(picture, _links(shown))
    return {
        # The only text that is not escaped by the template: drawing escapes every name it puts into a picture.
        "graph": Markup(element),
        "legend": [(Markup(sample), text) for sample, text in legend_samples(picture)],
        "shape": _shape(picture),
        "part": picture.part if isinstance(picture, Drawing) else "a bar for each layer",
        "query": query,
        "large": not legible(drawn),
        "front": front(shown.view.steps),
        "names": [step.name for step in shown.view.steps] if len(shown.view.steps) <= VISIBLE else [],
    }


async def timeline_values(shown: FlowShown) -> Mapping[str, Any]:
    pods = [] if shown.view.over else await flow_pods(shown.request, shown.view.namespace)
    view = timeline(shown.view, shown.whole, pods, shown.now)
    element = timeline_element(view, _links(shown))
    return {"timeline": view, "element": Markup(element), "critical": [row.step for row in view.rows if row.critical]}


async def drawing_styles(request: web.Request) -> web.Response:
    """The colours of pictures, from the same list as those of files."""
    headers = {"Cache-Control": "max-age=300"}
    return web.Response(text=style(".jobflow"), content_type="text/css", headers=headers)


def _shape(picture: Drawing | Layers) -> str:
    """The same as long as only classes and texts of the picture change."""
    if isinstance(picture, Layers):
        what = repr([(bar.first, bar.last, len(bar.steps)) for bar in picture.bars])
    else:
        what = repr(([box.name for box in (*picture.boxes, *picture.finals)], picture.arrows, picture.centre))
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def _links(shown: FlowShown) -> Links:
    metadata = shown.body["metadata"]
    flow = ("flows", metadata["namespace"], metadata["name"])
    url = partial(address_in, shown.request.app[SETTINGS].base_path, *flow)

    def bar_link(bar: Bar) -> str:
        return url(tab="graph", layer=f"{bar.first}-{bar.last}" if bar.first < bar.last else str(bar.first))

    return Links(
        box=lambda box: url(tab="graph", group=box.members[0].name) if box.members else shown.step_url(box.name),
        bar=bar_link,
        step=shown.step_url,
    )
