"""`suspend`, `resume`, `stop`, `retry`, `restart`: Commands to JobFlows."""

import argparse
import contextlib
from collections.abc import Callable
from typing import Any

from cli.client import Session, live
from cli.exits import Exit
from cli.output import as_name
from shared.actions.orders import aside, order
from shared.kinds import COMMAND, JOBFLOW, Kind
from shared.kube.client.errors import Forbidden
from shared.model.phases import FlowAction


def send(arguments: argparse.Namespace, kind: Kind, action: str, verb: str, said: str) -> int:
    """Create one Command for each name, in the given order, and stop at the first error."""

    async def work(session: Session) -> int:
        for name in arguments.names:
            target = await session.api.get(kind, session.namespace if kind.namespaced else "", name)
            namespace = session.namespace if kind.namespaced else "default"
            if action == FlowAction.RESUME:
                await _try_to_resume(session, target)
            await session.api.create(COMMAND, order(target, action, verb, namespace), namespace=namespace)
            noted = aside(target, action)
            print(f"{as_name(target)} {said}" + (f" ({noted})" if noted else ""))
        return Exit.OK

    return live(arguments, work)


async def _try_to_resume(session: Session, flow: dict[str, Any]) -> None:
    """Try the change with dry run, to report now if a policy would refuse it to the controller.

    Users who may not change the flow can still send the Command.
    """
    if (flow.get("spec") or {}).get("suspend"):
        metadata = flow["metadata"]
        with contextlib.suppress(Forbidden):
            change = {"spec": {"suspend": False}}
            await session.api.patch(JOBFLOW, metadata["namespace"], metadata["name"], change, dry_run=True)


def _flow(action: FlowAction, verb: str, said: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        return send(arguments, JOBFLOW, action, verb, said)

    return run


suspend = _flow(FlowAction.SUSPEND, "suspend", "starts no new Jobs")
resume = _flow(FlowAction.RESUME, "resume", "is being resumed")
stop = _flow(FlowAction.TERMINATE, "stop", "is being stopped")
retry = _flow(FlowAction.RETRY, "retry", "runs its failed steps again")
restart = _flow(FlowAction.RESTART, "restart", "runs all steps again")
