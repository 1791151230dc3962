"""`job list|view|suspend|resume|delete`."""

import argparse
import sys
import time

from cli.client import Session, live
from cli.commands.flows import show
from cli.commands.steer import send
from cli.exits import Exit
from cli.output import as_name, console, print_bodies
from cli.views import lists
from cli.views.job import description
from shared.kinds import EVENT, JOB, POD
from shared.kube.client.errors import Forbidden
from shared.model.phases import JobAction
from shared.model.types import Body
from shared.names import JOB_NAME


def list_jobs(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        listed = session.api.list(JOB, session.namespace, label_selector=arguments.selector)
        found = [body async for body in listed if _wanted(body, arguments)]
        table = lists.jobs(found, namespaced=not session.namespace, wide=arguments.output == "wide")
        show(arguments.output, found, table, session.namespace)
        return Exit.OK

    return live(arguments, work)


def view(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        body = await session.api.get(JOB, session.namespace, arguments.name)
        if arguments.output:
            print_bodies([body], arguments.output)
            return Exit.OK
        selector = f"{JOB_NAME}={arguments.name}"
        pods = [pod async for pod in session.api.list(POD, session.namespace, label_selector=selector)]
        out = console(sys.stdout)
        for line in description(body, pods, await _events(session, body), time.time()):
            out.print(line, soft_wrap=True, highlight=False)
        return Exit.OK

    return live(arguments, work)


def suspend(arguments: argparse.Namespace) -> int:
    return send(arguments, JOB, JobAction.ABORT_JOB, "suspend", "is being suspended")


def resume(arguments: argparse.Namespace) -> int:
    return send(arguments, JOB, JobAction.RESUME_JOB, "resume", "is being resumed")


def delete(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        for name in arguments.names:
            body = await session.api.get(JOB, session.namespace, name)
            await session.api.delete(JOB, session.namespace, name, uid=body["metadata"]["uid"])
            print(f"{as_name(body)} deleted")
        return Exit.OK

    return live(arguments, work)


def _wanted(body: Body, arguments: argparse.Namespace) -> bool:
    spec = body.get("spec") or {}
    return (not arguments.queue or spec.get("queue") == arguments.queue) and (
        not arguments.scheduler or spec.get("schedulerName") == arguments.scheduler
    )


async def _events(session: Session, body: Body) -> list[Body]:
    """Those about the Job; who may not list events sees none."""
    selector = f"involvedObject.uid={body['metadata']['uid']}"
    try:
        return [event async for event in session.api.list(EVENT, session.namespace, field_selector=selector)]
    except Forbidden:
        return []
