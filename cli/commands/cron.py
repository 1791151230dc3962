"""`cron list|next|run|backfill|suspend|resume`: commands for CronJobFlows and CronJobs, which share one list of names."""

import argparse
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cli.client import Session, live
from cli.commands.flows import show
from cli.exits import CliError, Exit
from cli.local_speed import schedule_speed
from cli.output import as_name, say
from cli.params import PARAMS_HINT, pairs
from cli.views import schedules
from controller.cronjob.children import job_for
from shared.children.manual_runs import UnfitParams, backfill_of, by_hand, flow_now
from shared.cron import CronError, Expression, Interval, Timetable, ZoneError, parse, zone
from shared.kinds import CRONJOB, CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOB, JOBFLOW, JOBFLOWTEMPLATE, Kind
from shared.kube.client.errors import NotFound
from shared.model.types import Body
from shared.timestamp import epoch_or_none

KINDS: Final = (CRONJOBFLOW, CRONJOB)


def list_schedules(arguments: argparse.Namespace) -> int:
    """Both kinds in one list; a kind that the cluster does not serve is left out."""

    async def work(session: Session) -> int:
        namespace = "" if arguments.all_namespaces else session.namespace
        found: list[Body] = []
        for kind in KINDS:
            try:
                found += [{**_kind(kind), **body} async for body in session.api.list(kind, namespace)]
            except NotFound:
                continue
        found.sort(key=lambda body: (body["metadata"]["namespace"], body["metadata"]["name"], body["kind"]))
        speed = schedule_speed(arguments.kubeconfig)
        rows = schedules.table(found, time.time(), namespaced=arguments.all_namespaces, speed=speed)
        show(arguments.output, found, rows)
        return Exit.OK

    return live(arguments, work)


def next_times(arguments: argparse.Namespace) -> int:
    """Print the next due times of a stored schedule, or of a cron expression given instead of a name."""
    if " " in arguments.name or arguments.name.startswith("@"):
        now = time.time()
        body = {"metadata": {}, "spec": {"schedule": arguments.name, "timeZone": arguments.timezone}}
        _print_times(body, arguments.count, now, Exit.USAGE)
        return Exit.OK

    async def work(session: Session) -> int:
        _, body = await _find(session, arguments.name)
        _print_times(body, arguments.count, _shown_now(arguments, body), Exit.NO)
        return Exit.OK

    return live(arguments, work)


def run(arguments: argparse.Namespace) -> int:
    """Create what the schedule would create now. Its history and concurrency policy do not apply."""
    values = pairs(arguments.param, "-p")

    async def work(session: Session) -> int:
        kind, cron = await _find(session, arguments.name)
        if kind is CRONJOB and values:
            raise CliError("-p: a CronJob has no params; only CronJobFlows have them")
        now = _shown_now(arguments, cron)
        body = by_hand(job_for(cron, int(now)), cron) if kind is CRONJOB else await _flow(session, cron, values, now)
        made = await session.api.create(
            JOB if kind is CRONJOB else JOBFLOW, body, namespace=session.namespace, strict=True
        )
        say(f"{as_name(made)} created")
        return Exit.OK

    return live(arguments, work)


def backfill(arguments: argparse.Namespace) -> int:
    """Create a CronJobFlowBackfill under a generated name; the webhook judges the range."""

    async def work(session: Session) -> int:
        kind, cron = await _find(session, arguments.name)
        if kind is not CRONJOBFLOW:
            raise CliError("only CronJobFlows can be backfilled")
        name, of = str(cron["metadata"]["name"]), arguments
        body = backfill_of(name, of.start, of.end, of.parallelism, of.reprocess)
        made = await session.api.create(CRONJOBFLOWBACKFILL, body, namespace=session.namespace, strict=True)
        say(f"{as_name(made)} created")
        return Exit.OK

    return live(arguments, work)


def suspend(arguments: argparse.Namespace) -> int:
    return _switch(arguments, True, "suspended")


def resume(arguments: argparse.Namespace) -> int:
    return _switch(arguments, False, "resumed")


def _switch(arguments: argparse.Namespace, suspended: bool, said: str) -> int:
    async def work(session: Session) -> int:
        for name in arguments.names:
            kind, body = await _find(session, name)
            if bool(body["spec"].get("suspend")) is suspended:
                say(f"{as_name(body)} unchanged: it is {'already' if suspended else 'not'} suspended")
                continue
            made = await session.api.patch(kind, session.namespace, name, {"spec": {"suspend": suspended}})
            say(f"{as_name(made)} {said}")
        return Exit.OK

    return live(arguments, work)


async def _find(session: Session, name: str) -> tuple[Kind, Body]:
    """The CronJobFlow of that name, else the CronJob. `KIND/NAME` says which."""
    said, slash, rest = name.rpartition("/")
    kinds = [kind for kind in KINDS if not slash or said.lower() in (kind.kind.lower(), kind.plural)]
    if not kinds:
        raise CliError(f'"{said}" is not a schedule; use cronjobflow/{rest} or cronjob/{rest}')
    for kind in kinds:
        try:
            return kind, {**_kind(kind), **await session.api.get(kind, session.namespace, rest)}
        except NotFound:
            continue
    raise CliError(f'no CronJobFlow or CronJob "{rest}" in namespace {session.namespace}', Exit.NOT_FOUND)


async def _flow(session: Session, cron: Body, values: Mapping[str, str], now: float) -> Body:
    """The JobFlow for the time `now`. Params of the command line override those of the schedule."""
    reference = cron["spec"].get("template")
    template = await session.api.get(JOBFLOWTEMPLATE, session.namespace, reference["name"]) if reference else None
    try:
        return flow_now(cron, template, values, now)
    except UnfitParams as error:
        raise CliError(str(error), Exit.NO, PARAMS_HINT) from error


def _kind(kind: Kind) -> Body:
    return {"apiVersion": kind.api_version, "kind": kind.kind}


def _shown_now(arguments: argparse.Namespace, body: Body) -> float:
    """The time that the schedule sees now."""
    return schedules.clock_of(body, schedule_speed(arguments.kubeconfig)).shown(time.time())


def _print_times(body: Body, count: int, now: float, fault: Exit) -> None:
    """The next times of a schedule, in its zone, as far as it has not ended. Raises CliError with `fault`."""
    spec = body["spec"]
    texts, name = spec.get("schedules") or (spec.get("schedule"),), str(spec.get("timeZone") or "")
    try:
        place = zone(name)
        table = Timetable(tuple(_parsed(text, fault) for text in texts), name, int(schedules.anchor_of(body, now)))
    except ZoneError as error:
        raise CliError(f'time zone "{name}": {error}', fault) from error
    end = epoch_or_none(spec.get("endTime"))
    for due in table.next(int(now), count):
        if end is None or due <= end:
            say(datetime.fromtimestamp(due, place).strftime("%a %Y-%m-%d %H:%M %Z"))


def _parsed(text: str, fault: Exit) -> Expression | Interval:
    try:
        return parse(text)
    except CronError as error:
        raise CliError(f'"{text}": {error}', fault) from error
