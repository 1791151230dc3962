"""`queue list|get|open|close`."""

import argparse

from cli.client import Session, get_all, live
from cli.commands.flows import show
from cli.exits import Exit
from cli.sending import send
from cli.views import lists
from shared.kinds import PODGROUP, QUEUE
from shared.kube.client.errors import Forbidden
from shared.model.phases import QueueAction


def list_queues(arguments: argparse.Namespace) -> int:
    return live(arguments, lambda session: _show(session, arguments, None))


def get(arguments: argparse.Namespace) -> int:
    return live(arguments, lambda session: _show(session, arguments, arguments.names))


def open_queue(arguments: argparse.Namespace) -> int:
    return send(arguments, QUEUE, QueueAction.OPEN_QUEUE, "open")


def close_queue(arguments: argparse.Namespace) -> int:
    return send(arguments, QUEUE, QueueAction.CLOSE_QUEUE, "close")


async def _show(session: Session, arguments: argparse.Namespace, names: list[str] | None) -> int:
    if names is None:
        found = sorted([body async for body in session.api.list(QUEUE)], key=lambda body: str(body["metadata"]["name"]))
    else:
        found = await get_all(session, QUEUE, names)
    if names is not None and len(found) == 1 and arguments.output in ("json", "yaml"):
        from cli.output import print_bodies

        print_bodies(found, arguments.output)
        return Exit.OK
    groups = await _groups(session) if arguments.output in ("", "wide") else []
    show(arguments.output, found, lists.queues(found, groups, wide=arguments.output == "wide"))
    return Exit.OK


async def _groups(session: Session) -> list[dict[str, object]]:
    """PodGroups of all namespaces; empty (counts of zero) if the user may not list them."""
    try:
        return [body async for body in session.api.list(PODGROUP)]
    except Forbidden:
        return []
