"""`/flows/NAMESPACE/NAME/steps/STEP`: a step with its attempts, iterations, pods and logs."""

import time

from aiohttp import web

from drawing.flow_view import flow_view
from shared.kinds import JOB, JOBFLOW
from shared.names import STEP
from web.context import caller
from web.pages.job_pods import pods_and_logs
from web.pages.optional import listed
from web.pages.queries import text
from web.render import page
from web.views.flows.head import flow_head
from web.views.flows.step import find_step, latest, step_page


async def step(request: web.Request) -> web.StreamResponse:
    where = request.match_info
    namespace, name = where["namespace"], where["name"]
    body = await caller(request).api.get(JOBFLOW, namespace, name)
    view = flow_view(body)
    found = find_step(view, where["step"])
    if found is None:
        raise web.HTTPNotFound
    shown = step_page(
        found,
        body,
        await listed(request, JOB, namespace, f"{STEP}={found.name}"),
        phase=text(request, "phase"),
        text=text(request, "job_name"),
    )
    newest = latest(shown.jobs)
    job = text(request, "job") or (newest.name if newest else shown.gone[-1] if shown.gone else "")
    values = {
        "section": "flows",
        "head": flow_head(body, view),
        "shown": shown,
        "phase": text(request, "phase"),
        "text": text(request, "job_name"),
        "now": time.time(),
        "topics": (f"jobflows/{namespace}/{name}", *((f"pods/{namespace}/{job}",) if job else ())),
        **(await pods_and_logs(request, namespace, job)),
    }
    return page(request, "step.html", values)
