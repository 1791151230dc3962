"""The flows that the steps of a flow run, as far as the caller may see them."""

from collections.abc import Mapping
from typing import NamedTuple

from aiohttp import web

from drawing.flow_view import FlowView, flow_view
from drawing.nested import StepPlace, places_of_steps, runs_flows, tasks_of_steps, with_sub_flows
from shared.kinds import JOBFLOW
from shared.model.types import Body
from shared.names import CREATED_BY_FLOW
from web.pages.flows.pods import flow_pods
from web.pages.optional import listed

_KEPT = 50  # characters of a flow's name that the names of its sub-flows begin with, however long it is


class WholeFlow(NamedTuple):
    """A flow with the steps of its sub-flows in place; `places`: where each step is."""

    body: Body
    view: FlowView
    places: Mapping[str, StepPlace]


async def whole_flow(request: web.Request, body: Body, *, pods: bool) -> WholeFlow:
    """`pods`: with the pods of its steps, as far as the caller may see them."""
    below = await sub_flows(request, body)
    whole, places = with_sub_flows(body, below), places_of_steps(body, below)
    if not pods:
        return WholeFlow(whole, flow_view(whole), places)
    tasks = tasks_of_steps(body, below, await flow_pods(request, body["metadata"]["namespace"]))
    return WholeFlow(whole, flow_view(whole, tasks), places)


async def sub_flows(request: web.Request, body: Body) -> list[Body]:
    """All of the namespace; none if no step runs a flow."""
    if not runs_flows(body):
        return []
    return await listed(request, JOBFLOW, body["metadata"]["namespace"], CREATED_BY_FLOW)


def topics_below(body: Body) -> tuple[str, ...]:
    """The topics that the page of a flow needs for its sub-flows."""
    if not runs_flows(body):
        return ()
    metadata = body["metadata"]
    return (f"jobflows/{metadata['namespace']}/{metadata['name'][:_KEPT]}*",)
