"""The tabs of a JobFlow's page. To add one: its template, which extends flow.html, and an entry of TABS."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

import yaml

from shared.kinds import EVENT, JOBFLOW
from shared.kube.cache.cache import strip
from shared.model.types import Body
from web.context import caller
from web.pages.flow_pictures import graph_values, timeline_values
from web.pages.flow_shown import FlowShown
from web.views.event_list import event_rows
from web.views.flow_page import attention

Values = Callable[[FlowShown], Awaitable[Mapping[str, Any]]]


class FlowTab(NamedTuple):
    """`name`: in the query; `values`: what the template needs beside the head; `pods`: whether it shows pods."""

    name: str
    title: str
    template: str
    values: Values
    pods: bool = False


async def _steps(shown: FlowShown) -> Mapping[str, Any]:
    return {"steps": attention(shown.view.steps)}


async def _events(shown: FlowShown) -> Mapping[str, Any]:
    metadata = shown.body["metadata"]
    selector = f"involvedObject.kind={JOBFLOW.kind},involvedObject.name={metadata['name']}"
    api = caller(shown.request).api
    return {"events": event_rows([e async for e in api.list(EVENT, metadata["namespace"], field_selector=selector)])}


async def _yaml(shown: FlowShown) -> Mapping[str, Any]:
    return {"text": as_yaml(shown.body)}


def as_yaml(body: Body) -> str:
    """The object as `kubectl get -o yaml` prints it, without managedFields."""
    return yaml.dump(strip(body), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, width=120)


TABS: Final = {
    tab.name: tab
    for tab in (
        FlowTab("graph", "Graph", "flow/graph.html", graph_values),
        FlowTab("timeline", "Timeline", "flow/timeline.html", timeline_values),
        FlowTab("steps", "Steps", "flow/steps.html", _steps, pods=True),
        FlowTab("events", "Events", "flow/events.html", _events),
        FlowTab("yaml", "YAML", "flow/yaml.html", _yaml),
    )
}
