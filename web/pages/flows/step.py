"""`/flows/NAMESPACE/NAME/steps/STEP`: a step with its attempts, iterations, pods and logs, or with the flows it runs."""

import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from drawing.flow_view import flow_view
from drawing.nested import StepPlace
from shared.kinds import JOB, JOBFLOW
from shared.model.step import NO_JOB_FIELDS, raw_steps
from shared.model.types import Body
from shared.names import STEP
from web.context import caller
from web.pages.flows.asked import approvals_asked
from web.pages.flows.below import sub_flows, topics_below
from web.pages.job_pods import pods_and_logs
from web.pages.optional import listed
from web.pages.queries import text
from web.render import page
from web.views.flows.approvals import given_answer
from web.views.flows.head import flow_head
from web.views.flows.step import StepPage, find_step, latest, step_page
from web.views.flows.sub_flows import MOST, sub_flow_rows


async def step(request: web.Request) -> web.StreamResponse:
    where = request.match_info
    namespace, name = where["namespace"], where["name"]
    body = await caller(request).api.get(JOBFLOW, namespace, name)
    view = flow_view(body)
    found = find_step(view, where["step"])
    if found is None:
        raise web.HTTPNotFound
    makes = _makes(body, found.name)
    jobs = await listed(request, JOB, namespace, f"{STEP}={found.name}") if makes == "jobs" else []
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
        "topics": (f"jobflows/{namespace}/{name}",),
        **await approvals_asked(request, {found.name: StepPlace(body, found.name)}),
        **await _VALUES[makes](request, body, shown),
    }
    return page(request, "step.html", values)


def _makes(body: Body, step: str) -> str:
    """`jobs`, or the field that says what the step does instead."""
    spec = next((each for each in raw_steps(body) if each.get("name") == step), {})
    return next((field for field in NO_JOB_FIELDS if spec.get(field) is not None and field in _VALUES), "jobs")


async def _of_jobs(request: web.Request, body: Body, shown: StepPage) -> Mapping[str, Any]:
    """The pods and logs of the chosen Job."""
    metadata, newest = body["metadata"], latest(shown.jobs)
    job = text(request, "job") or (newest.name if newest else shown.gone[-1] if shown.gone else "")
    topics = (f"jobflows/{metadata['namespace']}/{metadata['name']}", f"pods/{metadata['namespace']}/{job}")
    found = await pods_and_logs(request, metadata["namespace"], job)
    return {**found, "topics": topics if job else topics[:1]}


async def _of_flows(request: web.Request, body: Body, shown: StepPage) -> Mapping[str, Any]:
    metadata = body["metadata"]
    rows = sub_flow_rows(body, shown.step.name, await sub_flows(request, body))
    topics = (f"jobflows/{metadata['namespace']}/{metadata['name']}", *topics_below(body))
    return {"sub_flows": rows[:MOST], "sub_flows_found": len(rows), "topics": topics}


async def _of_nothing(request: web.Request, body: Body, shown: StepPage) -> Mapping[str, Any]:
    return {}


_VALUES = {"jobs": _of_jobs, "flow": _of_flows, "approve": _of_nothing, "switch": _of_nothing}
