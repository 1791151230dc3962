"""`job list|view|suspend|resume|scale|delete`."""

import argparse
import time

from cli.client import Session, live
from cli.commands.flows import show
from cli.exits import CliError, Exit
from cli.output import as_name, print_bodies, print_lines, say
from cli.sending import send
from cli.views import lists
from cli.views.job import description
from shared.kinds import EVENT, JOB, POD
from shared.kube.client.errors import Forbidden
from shared.model.phases import JobAction
from shared.model.types import Body
from shared.names import JOB_NAME
from webhook.hints.names import did_you_mean


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
        print_lines(description(body, pods, await _events(session, body), time.time()))
        return Exit.OK

    return live(arguments, work)


def suspend(arguments: argparse.Namespace) -> int:
    return send(arguments, JOB, JobAction.ABORT_JOB, "suspend")


def resume(arguments: argparse.Namespace) -> int:
    return send(arguments, JOB, JobAction.RESUME_JOB, "resume")


def scale(arguments: argparse.Namespace) -> int:
    replicas = dict(map(_replicas, arguments.replicas))

    async def work(session: Session) -> int:
        body = await session.api.get(JOB, session.namespace, arguments.name)
        made = await session.api.patch(JOB, session.namespace, arguments.name, _scaled(body, replicas))
        say(f"{as_name(made)} scaled: {_changes(body, made, replicas)}")
        return Exit.OK

    return live(arguments, work)


def _changes(before: Body, after: Body, replicas: dict[str, int]) -> str:
    """What has changed in the Job, as the API server stored it."""
    old = {task["name"]: int(task.get("replicas") or 0) for task in before["spec"]["tasks"]}
    said = [f"{task} {old[task]} -> {number}" for task, number in replicas.items()]
    minimum, now = before["spec"].get("minAvailable"), after["spec"].get("minAvailable")
    return ", ".join([*said, *([f"minAvailable {minimum} -> {now}"] if minimum != now else [])])


def _replicas(text: str) -> tuple[str, int]:
    """Raises CliError."""
    task, equals, number = text.partition("=")
    if not task or not equals or not number.isdecimal():
        raise CliError(f'"{text}": want TASK=N, as in "worker=8"')
    return task, int(number)


def _scaled(body: Body, replicas: dict[str, int]) -> list[Body]:
    """A JSON patch; it does nothing if the tasks have changed meanwhile. Raises CliError."""
    names = [str(task.get("name") or "") for task in (body.get("spec") or {}).get("tasks") or ()]
    if missing := [task for task in replicas if task not in names]:
        hint = did_you_mean(missing[0], names)
        raise CliError(f'Job {body["metadata"]["name"]} has no task "{missing[0]}"{hint}', Exit.NOT_FOUND)
    patch: list[Body] = []
    for task, number in replicas.items():
        path = f"/spec/tasks/{names.index(task)}"
        patch.append({"op": "test", "path": f"{path}/name", "value": task})
        patch.append({"op": "add", "path": f"{path}/replicas", "value": number})
    return patch


def delete(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        for name in arguments.names:
            body = await session.api.get(JOB, session.namespace, name)
            await session.api.delete(JOB, session.namespace, name, uid=body["metadata"]["uid"])
            say(f"{as_name(body)} deleted")
        return Exit.OK

    return live(arguments, work)


def _wanted(body: Body, arguments: argparse.Namespace) -> bool:
    spec = body.get("spec") or {}
    return (not arguments.queue or spec.get("queue") == arguments.queue) and (
        not arguments.scheduler or spec.get("schedulerName") == arguments.scheduler
    )


async def _events(session: Session, body: Body) -> list[Body]:
    """The Job's events; empty if the user may not list events."""
    selector = f"involvedObject.uid={body['metadata']['uid']}"
    try:
        return [event async for event in session.api.list(EVENT, session.namespace, field_selector=selector)]
    except Forbidden:
        return []
