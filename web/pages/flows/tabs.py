"""The tabs of a JobFlow's page. To add one: its template, which extends flow.html, and an entry of TABS."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from shared.kinds import JOBFLOW
from web.pages.flows.pictures import graph_values, timeline_values
from web.pages.flows.pods import flow_pods
from web.pages.flows.shown import FlowShown
from web.pages.object_events import object_events
from web.pages.object_yaml import as_yaml
from web.pages.queries import number, text
from web.views.flows.head import attention
from web.views.flows.next_steps import next_steps
from web.views.flows.outputs import output_list
from web.views.paging import cut

STEP_ROWS: Final = 300
Values = Callable[[FlowShown], Awaitable[Mapping[str, Any]]]


class FlowTab(NamedTuple):
    """`name`: in the query; `values`: what the template needs beside the head; `pods`: whether it shows pods' states; `watches_pods`:
    whether it changes with pods all the same."""

    name: str
    title: str
    template: str
    values: Values
    pods: bool = False
    watches_pods: bool = False


async def _steps(shown: FlowShown) -> Mapping[str, Any]:
    phase, part = text(shown.request, "phase"), text(shown.request, "name")
    wanted = [step for step in shown.view.steps if phase in ("", step.phase) and part.lower() in step.name.lower()]
    return {
        "listing": cut(attention(wanted), number(shown.request, "page", 1), STEP_ROWS),
        "phase": phase,
        "part": part,
        "phases": sorted({str(step.phase) for step in shown.view.steps}),
    }


async def _events(shown: FlowShown) -> Mapping[str, Any]:
    return {"events": await object_events(shown.request, JOBFLOW, shown.body)}


async def _yaml(shown: FlowShown) -> Mapping[str, Any]:
    return {"text": as_yaml(shown.body)}


async def _next(shown: FlowShown) -> Mapping[str, Any]:
    pods = [] if shown.view.over else await flow_pods(shown.request, shown.body["metadata"]["namespace"])
    return {"next": next_steps(shown.view, shown.places, pods)}


async def _outputs(shown: FlowShown) -> Mapping[str, Any]:
    return {"outputs": output_list(shown.view, shown.whole)}


TABS: Final = {
    tab.name: tab
    for tab in (
        FlowTab("graph", "Graph", "flow/graph.html", graph_values),
        FlowTab("timeline", "Timeline", "flow/timeline.html", timeline_values),
        FlowTab("steps", "Steps", "flow/steps.html", _steps, pods=True),
        FlowTab("next", "Next", "flow/next.html", _next, watches_pods=True),
        FlowTab("outputs", "Outputs", "flow/outputs.html", _outputs),
        FlowTab("events", "Events", "flow/events.html", _events),
        FlowTab("yaml", "YAML", "flow/yaml.html", _yaml),
    )
}
