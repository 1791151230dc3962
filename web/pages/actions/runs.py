"""New runs: of a flow that has run."""

from aiohttp import web

from shared.actions.reruns import again, named, with_values
from shared.kinds import JOBFLOW
from web.addresses import address
from web.context import caller, redirect
from web.pages.queries import may_write

_PARAM = "param."


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
