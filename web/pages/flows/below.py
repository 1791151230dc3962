"""The flows that the steps of a flow run, as far as the caller may see them."""

from aiohttp import web

from drawing.nested import runs_flows
from shared.kinds import JOBFLOW
from shared.model.types import Body
from shared.names import CREATED_BY_FLOW
from web.pages.optional import listed

_KEPT = 50  # characters of a flow's name that the names of its sub-flows begin with, however long it is


async def sub_flows(request: web.Request, body: Body) -> list[Body]:
    """All of the namespace; none if no step runs a flow."""
    if not runs_flows(body):
        return []
    return await listed(request, JOBFLOW, body["metadata"]["namespace"], CREATED_BY_FLOW)


def topics_below(body: Body) -> tuple[str, ...]:
    """What the page of a flow must be told about its sub-flows."""
    if not runs_flows(body):
        return ()
    metadata = body["metadata"]
    return (f"jobflows/{metadata['namespace']}/{metadata['name'][:_KEPT]}*",)
