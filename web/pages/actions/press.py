"""The buttons of one object."""

from aiohttp import web

from shared.actions.flow_messages import retry_of
from shared.kinds import JOBFLOW
from shared.model.phases import FlowAction
from web.cluster.acting import do, send_command
from web.context import caller
from web.pages.actions.returning import back_from
from web.pages.queries import may_write
from web.views.buttons import BUTTONS


async def act(request: web.Request) -> web.StreamResponse:
    """`/act/PLURAL/NAMESPACE/NAME/BUTTON`; the namespace of what has none is `-`."""
    may_write(request)
    where = request.match_info
    kind, buttons = BUTTONS.get(where["plural"], (JOBFLOW, {}))
    button = buttons.get(where["button"])
    if button is None:
        raise web.HTTPNotFound
    api = caller(request).api
    body = await api.get(kind, where["namespace"] if kind.namespaced else "", where["name"])
    await do(api, kind, body, button.work)
    return await back_from(request, f"{kind.plural}.{button.name}")


async def retry_step(request: web.Request) -> web.StreamResponse:
    """One step alone, or with the steps after it."""
    may_write(request)
    posted = await request.post()
    step = request.match_info["step"]
    api = caller(request).api
    body = await api.get(JOBFLOW, request.match_info["namespace"], request.match_info["name"])
    message = retry_of(body, from_=step) if posted.get("after") else retry_of(body, step=step)
    await send_command(api, JOBFLOW, body, FlowAction.RETRY, "retry", message)
    return await back_from(request, "step.retry")
