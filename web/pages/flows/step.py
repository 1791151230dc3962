"""`/flows/NAMESPACE/NAME/steps/STEP`: a step with its attempts, iterations, pods and logs, or with the flows it runs."""

import time

from aiohttp import web

from drawing.flow_view import flow_view
from drawing.nested import StepPlace
from shared.kinds import JOB, JOBFLOW
from shared.names import STEP
from web.context import caller
from web.pages.flows.asked import approvals_asked
from web.pages.flows.makes import JOBS, VALUES, what_it_makes
from web.pages.optional import listed
from web.pages.queries import text
from web.render import page
from web.views.flows.approvals import given_answer
from web.views.flows.head import flow_head
from web.views.flows.step import find_step, step_page


async def step(request: web.Request) -> web.StreamResponse:
    where = request.match_info
    namespace, name = where["namespace"], where["name"]
    body = await caller(request).api.get(JOBFLOW, namespace, name)
    view = flow_view(body)
    found = find_step(view, where["step"])
    if found is None:
        raise web.HTTPNotFound
    makes = what_it_makes(body, found.name)
    jobs = await listed(request, JOB, namespace, f"{STEP}={found.name}") if makes == JOBS else []
    shown = step_page(found, body, jobs, phase=text(request, "phase"), text=text(request, "job_name"))
    values = {
        "section": "flows",
        "head": flow_head(body, view),
        "shown": shown,
        "makes": makes,
        "answer": given_answer(body, found.name),
        "phase": text(request, "phase"),
        "text": text(request, "job_name"),
        "now": time.time(),
        **await approvals_asked(request, {found.name: StepPlace(body, found.name)}),
        **await VALUES[makes](request, body, shown),
    }
    return page(request, "step.html", values)
