"""`/schedules`: CronJobFlows and CronJobs, and the calendar of one of them."""

import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from shared.kinds import CRONJOB, CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOB, JOBFLOW, Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from shared.names import CRON_NAME
from web.cluster.flow_templates import template_of
from web.context import caller
from web.pages.optional import listed
from web.pages.queries import ALL_NAMESPACES, namespace_of
from web.render import page
from web.views.backfill_list import backfill_rows
from web.views.buttons import offered
from web.views.param_fields import fields_of_schedule
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
        **await _by_hand(request, kind, body),
        "row": schedule_row(body, kind.plural, now),
        "offered": offered(kind, body),
        "runs": runs,
        "child": "flows" if child == JOBFLOW else "jobs",
        "weeks": calendar(body, runs, now),
        "now": now,
        "topics": (
            *(f"{kind.plural}/{namespace}/{name}", f"{child.plural}/{namespace}/{name}-*"),
            *((f"cronjobflowbackfills/{namespace}",) if kind == CRONJOBFLOW else ()),
        ),
    }
    return page(request, "schedule.html", values)


async def _by_hand(request: web.Request, kind: Kind, body: Body) -> Mapping[str, Any]:
    """What one can start: `fields` of the form that runs it now; its `backfills`, with the `buttons` of each."""
    if kind != CRONJOBFLOW:
        return {"fields": (), "backfills": (), "buttons": {}}
    metadata = body["metadata"]
    try:
        template = await template_of(caller(request).api, body)
    except (Forbidden, NotFound):
        template = None
    rows = backfill_rows(await listed(request, CRONJOBFLOWBACKFILL, metadata["namespace"]), metadata["name"])
    return {
        "fields": fields_of_schedule(body, template),
        "backfills": rows,
        "buttons": {row.name: offered(CRONJOBFLOWBACKFILL, row.body) for row in rows},
    }
