"""`suspend`, `resume`, `stop`, `retry`, `restart`: orders to JobFlows."""

import argparse
from collections.abc import Callable

from cli.client import Session, live
from cli.exits import Exit
from cli.orders import order
from cli.output import as_name
from shared.kinds import COMMAND, JOBFLOW, Kind
from shared.model.phases import FlowAction


def send(arguments: argparse.Namespace, kind: Kind, action: str, verb: str, said: str) -> int:
    """One Command a name, in the order given; the first that fails ends it."""

    async def work(session: Session) -> int:
        for name in arguments.names:
            target = await session.api.get(kind, session.namespace if kind.namespaced else "", name)
            namespace = session.namespace if kind.namespaced else "default"
            await session.api.create(COMMAND, order(target, action, verb, namespace), namespace=namespace)
            print(f"{as_name(target)} {said}")
        return Exit.OK

    return live(arguments, work)


def _flow(action: FlowAction, verb: str, said: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        return send(arguments, JOBFLOW, action, verb, said)

    return run


suspend = _flow(FlowAction.SUSPEND, "suspend", "will start nothing new")
resume = _flow(FlowAction.RESUME, "resume", "goes on")
stop = _flow(FlowAction.TERMINATE, "stop", "is being stopped")
retry = _flow(FlowAction.RETRY, "retry", "runs its failed steps again")
restart = _flow(FlowAction.RESTART, "restart", "begins anew")
