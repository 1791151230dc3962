"""Commands to Jobs and Queues: `job suspend`, `job resume`, `queue open`, `queue close`."""

import argparse

from cli.client import Session, live
from cli.exits import Exit
from cli.output import as_name
from shared.actions.commands import command_for, why_no_effect
from shared.kinds import COMMAND, Kind


def send(arguments: argparse.Namespace, kind: Kind, action: str, verb: str, said: str) -> int:
    """Create one Command for each name, in the given order, and stop at the first error."""

    async def work(session: Session) -> int:
        for name in arguments.names:
            target = await session.api.get(kind, session.namespace if kind.namespaced else "", name)
            namespace = session.namespace if kind.namespaced else "default"
            await session.api.create(COMMAND, command_for(target, action, verb, namespace), namespace=namespace)
            why = why_no_effect(target, action)
            print(f"{as_name(target)} {said}" + (f" ({why})" if why else ""))
        return Exit.OK

    return live(arguments, work)
