"""What the tabs of a JobFlow's page show."""

from typing import NamedTuple

from aiohttp import web

from drawing.flow_view import FlowView
from shared.model.types import Body


class FlowShown(NamedTuple):
    """What a tab shows: the flow as it was read for this request. `now`: seconds since 1970."""

    request: web.Request
    body: Body
    view: FlowView
    now: float
