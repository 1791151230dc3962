"""`/schedules`: CronJobFlows and CronJobs, and the calendar of one of them."""

import time

from aiohttp import web

from shared.kinds import CRONJOB, CRONJOBFLOW, JOB, JOBFLOW
from shared.names import CRON_NAME
from web.context import caller
from web.pages.optional import listed
from web.pages.queries import ALL_NAMESPACES, namespace_of
from web.render import page
from web.views.buttons import offered
from web.views.schedule_list import calendar, past_run, schedule_row, schedule_rows

_KINDS = {kind.plural: kind for kind in (CRONJOBFLOW, CRONJOB)}


async def schedules(request: web.Request) -> web.StreamResponse:
    namespace, now = namespace_of(request), time.time()
    flows = await listed(request, CRONJOBFLOW, namespace)
    jobs = await listed(request, CRONJOB, namespace)
    if not flows and not jobs:  # says why, where neither may be listed
        flows = [body async for body in caller(request).api.list(CRONJOBFLOW, namespace)]
    values = {
        "section": "schedules",
        "namespace": namespace,
        "rows": schedule_rows(flows, jobs, now),
        "now": now,
        "topics": tuple(f"{kind.plural}/{namespace or ALL_NAMESPACES}" for kind in (CRONJOBFLOW, CRONJOB)),
    }
    return page(request, "schedules.html", values)


async def schedule(request: web.Request) -> web.StreamResponse:
    where, now = request.match_info, time.time()
    kind = _KINDS.get(where["plural"])
    if kind is None:
        raise web.HTTPNotFound
    namespace, name = where["namespace"], where["name"]
    body = await caller(request).api.get(kind, namespace, name)
    if kind == CRONJOBFLOW:
        children, child = await listed(request, JOBFLOW, namespace, f"{CRON_NAME}={name}"), JOBFLOW
    else:
        owned = await listed(request, JOB, namespace)
        uid = body["metadata"]["uid"]
        children = [
            job for job in owned if any(o.get("uid") == uid for o in job["metadata"].get("ownerReferences") or ())
        ]
        child = JOB
    runs = sorted(map(past_run, children), key=lambda run: run.due or 0.0, reverse=True)
    values = {
        "section": "schedules",
        "row": schedule_row(body, kind.plural, now),
        "offered": offered(kind, body),
        "runs": runs,
        "child": "flows" if child == JOBFLOW else "jobs",
        "weeks": calendar(body, runs, now),
        "now": now,
        "topics": (f"{kind.plural}/{namespace}/{name}", f"{child.plural}/{namespace}/{name}-*"),
    }
    return page(request, "schedule.html", values)
