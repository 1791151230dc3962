"""The events of an object."""

from aiohttp import web

from shared.kinds import EVENT, Kind
from shared.model.types import Body
from web.context import caller
from web.views.event_list import EventRow, event_rows


async def object_events(request: web.Request, kind: Kind, body: Body) -> tuple[EventRow, ...]:
    """Newest first. Raises ApiError."""
    metadata = body["metadata"]
    selector = f"involvedObject.kind={kind.kind},involvedObject.name={metadata['name']}"
    listed = caller(request).api.list(EVENT, metadata["namespace"], field_selector=selector)
    return event_rows([event async for event in listed])
