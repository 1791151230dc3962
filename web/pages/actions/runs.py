"""New runs: of a flow that has run, of a template, of a schedule now and for times in the past."""

import re
import time
from typing import Final

from aiohttp import web

from controller.cronjob.children import job_for
from shared.actions.reruns import again, named, with_values
from shared.children.manual_runs import UnfitParams, backfill_of, by_hand, flow_now, template_flow
from shared.kinds import CRONJOB, CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOB, JOBFLOW, JOBFLOWTEMPLATE
from shared.model.schedules.backfill import Reprocess
from shared.model.types import Body
from web.addresses import address
from web.cluster.flow_templates import template_of
from web.context import caller, redirect
from web.faults import UnfitForm
from web.pages.actions.returning import back_from
from web.pages.queries import may_write
from web.views.param_fields import fields_of_schedule, fields_of_template, fields_of_values, values_of

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_MOST_AT_ONCE: Final = 1000


async def run_again(request: web.Request) -> web.StreamResponse:
    """A new flow with the spec of this one and the params of the form; leads to the new one."""
    may_write(request)
    posted = await request.post()
    body = await caller(request).api.get(JOBFLOW, request.match_info["namespace"], request.match_info["name"])
    values = values_of(posted.items(), fields_of_values((body.get("spec") or {}).get("params") or ()))
    return await _made(request, with_values(again(body), values))


async def run_template(request: web.Request) -> web.StreamResponse:
    """A flow of the JobFlowTemplate. Raises UnfitForm."""
    may_write(request)
    posted = await request.post()
    body = await caller(request).api.get(JOBFLOWTEMPLATE, request.match_info["namespace"], request.match_info["name"])
    try:
        flow = template_flow(body, values_of(posted.items(), fields_of_template(body)))
    except UnfitParams as fault:
        raise UnfitForm(str(fault)) from fault
    return await _made(request, flow)


async def run_schedule(request: web.Request) -> web.StreamResponse:
    """What the schedule would create now. Raises UnfitForm."""
    may_write(request)
    where, now = request.match_info, time.time()
    api = caller(request).api
    if where["plural"] == CRONJOB.plural:
        cron_job = await api.get(CRONJOB, where["namespace"], where["name"])
        body = by_hand(job_for(cron_job, int(now)), cron_job)
        job = await api.create(JOB, body, namespace=where["namespace"])
        return redirect(request, address("jobs", where["namespace"], job["metadata"]["name"]))
    if where["plural"] != CRONJOBFLOW.plural:
        raise web.HTTPNotFound
    cron = await api.get(CRONJOBFLOW, where["namespace"], where["name"])
    template = await template_of(api, cron)
    try:
        values = values_of((await request.post()).items(), fields_of_schedule(cron, template))
        flow = flow_now(cron, template, values, now)
    except UnfitParams as fault:
        raise UnfitForm(str(fault)) from fault
    return await _made(request, flow)


async def backfill(request: web.Request) -> web.StreamResponse:
    """The flows of a CronJobFlow for times in the past. Raises UnfitForm."""
    may_write(request)
    posted, where = await request.post(), request.match_info
    at_once, reprocess = str(posted.get("parallelism", "1")), str(posted.get("reprocess", Reprocess.NEVER))
    if not (at_once.isascii() and at_once.isdigit() and 0 < int(at_once) <= _MOST_AT_ONCE):
        raise UnfitForm(f"flows at once: {at_once[:20]} must be a number from 1 to {_MOST_AT_ONCE}")
    if reprocess not in list(Reprocess):
        raise UnfitForm(f"times that have a flow: must be one of {', '.join(Reprocess)}")
    start, end = _utc("first time", str(posted.get("from", ""))), _utc("last time", str(posted.get("to", "")))
    body = backfill_of(where["name"], start, end, int(at_once), reprocess)
    await caller(request).api.create(CRONJOBFLOWBACKFILL, body, namespace=where["namespace"])
    return await back_from(request, "schedule.backfill")


def _utc(what: str, given: str) -> str:
    """What a field of date and time sends, as RFC 3339."""
    if not _TIME.fullmatch(given):
        raise UnfitForm(f"{what}: {given[:30] or 'nothing'} must be a time such as 2026-01-31T00:00")
    return f"{given}Z" if given.count(":") == 2 else f"{given}:00Z"


async def _made(request: web.Request, flow: Body) -> web.Response:
    """The flow under the name of the form, or a generated one; leads to it."""
    namespace = request.match_info["namespace"]
    name = str((await request.post()).get("name", "")).strip()
    made = await caller(request).api.create(JOBFLOW, named(flow, name, namespace), namespace=namespace)
    return redirect(request, address("flows", namespace, made["metadata"]["name"]))
