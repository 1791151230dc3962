"""POST handlers of the buttons. Guard has checked Host, Origin, session and CSRF token."""

from typing import Final

from aiohttp import web

from shared.actions.flow_messages import retry_of
from shared.actions.reruns import again, named, with_values
from shared.kinds import JOBFLOW
from shared.kube.client.errors import ApiError
from shared.model.phases import FlowAction
from web.addresses import address, and_query, inside
from web.cluster.acting import do, send_command
from web.context import caller, redirect
from web.pages.queries import may_write
from web.render import page
from web.views.buttons import BULK, BUTTONS

MOST: Final = 500
"""Flows of one bulk action."""
_PARAM: Final = "param."


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
    return await _back(request, f"{kind.plural}.{button.name}")


async def run_again(request: web.Request) -> web.StreamResponse:
    """A new flow with the spec of this one and the params of the form; leads to the new one."""
    may_write(request)
    posted = await request.post()
    namespace = request.match_info["namespace"]
    api = caller(request).api
    body = await api.get(JOBFLOW, namespace, request.match_info["name"])
    values = {key.removeprefix(_PARAM): str(value) for key, value in posted.items() if key.startswith(_PARAM)}
    fresh = named(with_values(again(body), values), str(posted.get("name", "")).strip(), namespace)
    made = await api.create(JOBFLOW, fresh, namespace=namespace)
    return redirect(request, address("flows", namespace, made["metadata"]["name"]))


async def retry_step(request: web.Request) -> web.StreamResponse:
    """One step alone, or with the steps after it."""
    may_write(request)
    posted = await request.post()
    step = request.match_info["step"]
    api = caller(request).api
    body = await api.get(JOBFLOW, request.match_info["namespace"], request.match_info["name"])
    message = retry_of(body, from_=step) if posted.get("after") else retry_of(body, step=step)
    await send_command(api, JOBFLOW, body, FlowAction.RETRY, "retry", message)
    return await _back(request, "step.retry")


async def bulk(request: web.Request) -> web.StreamResponse:
    """Do what one button does to each of several flows, and show the result of each."""
    may_write(request)
    posted = await request.post()
    name = str(posted.get("button", ""))
    chosen = [str(each) for each in posted.getall("flow", [])]
    if name not in BULK or len(chosen) > MOST:
        raise web.HTTPBadRequest(reason=f"choose one of {', '.join(BULK)} and at most {MOST} flows")
    button = BUTTONS[JOBFLOW.plural][1][name]
    api = caller(request).api
    results = []
    for each in chosen:
        namespace, _, flow = each.partition("/")
        try:
            await do(api, JOBFLOW, await api.get(JOBFLOW, namespace, flow), button.work)
            results.append((namespace, flow, ""))
        except ApiError as error:
            results.append((namespace, flow, error.message))
    values = {
        "section": "flows",
        "button": button,
        "results": results,
        "back": inside(str(posted.get("back", "/flows"))),
    }
    return page(request, "bulk.html", values)


async def _back(request: web.Request, did: str) -> web.Response:
    """To the page that the form names, which says what was done."""
    path = inside(str((await request.post()).get("back", "/")))
    return redirect(request, and_query(path, did=did, of=request.match_info["name"]))
