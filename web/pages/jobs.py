"""`/jobs` and `/jobs/NAMESPACE/NAME`: Jobs, of flows and of their own."""

import time

from aiohttp import web

from shared.kinds import JOB
from web.context import HUB, caller
from web.pages.job_pods import pods_and_logs
from web.pages.object_events import object_events
from web.pages.object_yaml import as_yaml
from web.pages.queries import ALL_NAMESPACES, label_selector, namespace_of, number, text
from web.render import page
from web.views.buttons import offered
from web.views.job_page import JobFilter, JobRow, job_row, wanted_jobs
from web.views.paging import cut

PATIENCE_SECONDS = 2.0


async def jobs(request: web.Request) -> web.StreamResponse:
    namespace, selector = namespace_of(request), label_selector(request)
    wanted = JobFilter(text(request, "phase"), text(request, "name"), text(request, "queue"))
    values = {
        "section": "jobs",
        "namespace": namespace,
        "selector": selector,
        "filter": wanted,
        "now": time.time(),
        "listing": cut(wanted_jobs(await _rows(request, namespace, selector), wanted), number(request, "page", 1)),
        "topics": (f"jobs/{namespace or ALL_NAMESPACES}",),
    }
    return page(request, "jobs.html", values)


async def _rows(request: web.Request, namespace: str, selector: str) -> list[JobRow]:
    who = caller(request)
    if not selector:
        known = request.app[HUB].want(who, JOB, namespace)
        if await known.ready(PATIENCE_SECONDS):
            return known.rows
    return [job_row(body) async for body in who.api.list(JOB, namespace, label_selector=selector)]


async def job(request: web.Request) -> web.StreamResponse:
    namespace, name = request.match_info["namespace"], request.match_info["name"]
    body = await caller(request).api.get(JOB, namespace, name)
    values = {
        "section": "jobs",
        "row": job_row(body),
        "offered": offered(JOB, body),
        "tasks": (body.get("spec") or {}).get("tasks") or (),
        "events": await object_events(request, JOB, body),
        "text": as_yaml(body),
        "now": time.time(),
        "topics": (f"jobs/{namespace}/{name}", f"pods/{namespace}/{name}"),
        **(await pods_and_logs(request, namespace, name)),
    }
    return page(request, "job.html", values)
