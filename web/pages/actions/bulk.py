"""One button for several flows."""

from collections.abc import Sequence
from typing import Final

import msgspec
from aiohttp import web

from shared.kinds import JOBFLOW
from shared.kube.client.errors import ApiError
from shared.model.types import Body
from web.addresses import inside
from web.cluster.acting import do
from web.context import caller
from web.pages.queries import may_write
from web.render import page
from web.views.buttons import BULK, BUTTONS, Button, why_idle

MOST: Final = 500
"""Flows of one bulk action."""


class ChosenFlow(msgspec.Struct, frozen=True):
    """`body`: None where it cannot be read; `fault`: why not, or why the button did not do its work; `idle`: why it
    seems to have no effect."""

    namespace: str
    name: str
    body: Body | None = None
    fault: str = ""
    idle: str = ""

    @property
    def key(self) -> str:
        """The flow in a form, as `_read` takes it."""
        return f"{self.namespace}/{self.name}/{self.body['metadata']['uid'] if self.body else ''}"

    @property
    def phase(self) -> str:
        status = (self.body or {}).get("status") or {}
        return str((status.get("state") or {}).get("phase") or "Pending")


async def bulk(request: web.Request) -> web.StreamResponse:
    """Do what the button does to each flow, and show the result of each. An action that loses work is shown first, and
    carried out when the form is sent again with `sure`."""
    may_write(request)
    posted = await request.post()
    name = str(posted.get("button", ""))
    chosen = [str(each) for each in posted.getall("flow", [])]
    if name not in BULK or len(chosen) > MOST:
        raise web.HTTPBadRequest(reason=f"choose one of {', '.join(BULK)} and at most {MOST} flows")
    button = BUTTONS[JOBFLOW.plural][1][name]
    flows = [await _read(request, each, button) for each in chosen]
    asks = button.loses_work and bool(flows) and not posted.get("sure")
    values = {
        "section": "flows",
        "button": button,
        "asks": asks,
        "flows": flows if asks else await _done(request, flows, button),
        "back": inside(str(posted.get("back", "/flows"))),
    }
    return page(request, "bulk.html", values)


async def _read(request: web.Request, chosen: str, button: Button) -> ChosenFlow:
    """`chosen`: NAMESPACE/NAME, and /UID of the flow that was shown when the button was asked about."""
    namespace, name, uid = [*chosen.split("/"), "", ""][:3]
    try:
        body = await caller(request).api.get(JOBFLOW, namespace, name)
    except ApiError as error:
        return ChosenFlow(namespace, name, fault=error.message)
    if uid and body["metadata"]["uid"] != uid:
        return ChosenFlow(
            namespace, name, fault="this is another flow than the one that was shown: it has been replaced"
        )
    return ChosenFlow(namespace, name, body, idle=why_idle(body, button))


async def _done(request: web.Request, flows: Sequence[ChosenFlow], button: Button) -> list[ChosenFlow]:
    """One after the other, in the given order; those that are idle are left alone."""
    results = []
    for flow in flows:
        if flow.body is not None and not flow.idle:
            try:
                await do(caller(request).api, JOBFLOW, flow.body, button.work)
            except ApiError as error:
                flow = msgspec.structs.replace(flow, fault=error.message)
        results.append(flow)
    return results
