"""What the tabs of a JobFlow's page show."""

from collections.abc import Mapping
from typing import NamedTuple

from aiohttp import web

from drawing.flow_view import FlowView
from drawing.nested import StepPlace
from shared.model.types import Body
from web.addresses import address_in
from web.context import SETTINGS


class FlowShown(NamedTuple):
    """What a tab shows: the flow as it was read for this request. `whole`: with the steps of its sub-flows in place, as
    `view` has them; `places`: where those steps are; `now`: seconds since 1970."""

    request: web.Request
    body: Body
    whole: Body
    places: Mapping[str, StepPlace]
    view: FlowView
    now: float

    def step_url(self, name: str) -> str:
        """The page of a step of `whole`."""
        body, step = self.places.get(name, StepPlace(self.body, name))
        metadata = body["metadata"]
        base = self.request.app[SETTINGS].base_path
        return address_in(base, "flows", metadata["namespace"], metadata["name"], "steps", step)
