"""Sends Commands to JobFlows, Jobs and Queues, and waits until the controller has carried them out."""

import argparse
import secrets
from collections.abc import Mapping
from typing import Final

from cli.client import Session, live
from cli.exits import Exit
from cli.output import as_name, note, say
from shared.actions.commands import command_for, why_no_effect
from shared.actions.effects import effect_of
from shared.kinds import COMMAND, QUEUE, Kind
from shared.kube.client.errors import AlreadyExists, NotFound, Unavailable
from shared.model.types import Body

WAIT: Final = 20.0  # seconds: a controller that runs carries a Command out within one
POLL: Final = 0.15
_TRIES: Final = 2
_QUEUES_NAMESPACE: Final = "default"  # of Commands to Queues, which have no namespace


def send(arguments: argparse.Namespace, kind: Kind, action: str, verb: str) -> int:
    """Send one Command for each name, in the given order, and print the result of each. The worst exit code counts."""

    async def work(session: Session) -> int:
        return max([await _send_one(session, arguments, kind, name, action, verb) for name in arguments.names])

    return live(arguments, work)


async def _send_one(
    session: Session, arguments: argparse.Namespace, kind: Kind, name: str, action: str, verb: str
) -> int:
    before = await session.api.get(kind, session.namespace if kind.namespaced else "", name)
    command = await create_command(session, before, action, verb)
    where = f"{as_name(before)}: "
    if arguments.no_wait:
        say(requested(where, verb, command))
        return Exit.OK
    for _ in range(round(WAIT / POLL)):
        await session.transport.pause(POLL)
        if not await command_exists(session, command):
            return await _report(session, kind, before, action, verb)
    note(not_carried_out(where, command))
    return Exit.NO


async def _report(session: Session, kind: Kind, before: Body, action: str, verb: str) -> int:
    metadata = before["metadata"]
    after = await session.api.get(kind, metadata.get("namespace", ""), metadata["name"])
    effect = effect_of(before, after, action, await _parent(session, after) if kind is QUEUE else None)
    where = f"{as_name(before)}: "
    if effect.done:
        say(f"{where}{effect.message}")
        return Exit.OK
    note(f"{where}{verb} has no effect: {effect.message}")
    return Exit.NO


async def _parent(session: Session, queue: Body) -> Body | None:
    name = (queue.get("spec") or {}).get("parent")
    try:
        return await session.api.get(QUEUE, "", name) if name else None
    except NotFound:
        return None


async def create_command(
    session: Session,
    target: Body,
    action: str,
    verb: str,
    message: str = "",
    annotations: Mapping[str, str] | None = None,
) -> Body:
    """Create a Command. `message`: JSON for the controller, or ''.

    It is named here and not by the API server: sent again after a lost answer, it is still one Command.
    """
    metadata = target["metadata"]
    namespace = str(metadata.get("namespace") or _QUEUES_NAMESPACE)
    name = f"{metadata['name'][:200]}-{verb}-{secrets.token_hex(4)}"
    body = command_for(target, action, verb, namespace, message, name)
    body["metadata"] |= {"annotations": dict(annotations)} if annotations else {}
    for left in reversed(range(_TRIES)):
        try:
            return await session.api.create(COMMAND, body, namespace=namespace)
        except AlreadyExists:
            return await session.api.get(COMMAND, namespace, name)
        except Unavailable:
            if not left:
                raise
    raise AssertionError("unreachable")


def requested(where: str, verb: str, command: Body) -> str:
    """What to say without waiting. `where`: the target, as a prefix."""
    return f"{where}{verb} requested (Command {command['metadata']['name']})"


async def command_exists(session: Session, command: Body) -> bool:
    """Whether the controller still has to carry the Command out."""
    try:
        await session.api.get(COMMAND, command["metadata"]["namespace"], command["metadata"]["name"])
    except NotFound:
        return False
    return True


def without_result(where: str, flow: Body, command: Body) -> str:
    """What to say of a Command to a flow that is gone though the flow records nothing of it."""
    why = why_no_effect(flow, command["action"]) or f"see kubectl describe jobflow {flow['metadata']['name']}"
    return f"{where}the controller has deleted the Command without a result: {why}"


def not_carried_out(where: str, command: Body) -> str:
    """What to say when no controller has taken the Command in time. `where`: its target, as a prefix."""
    name, namespace = command["metadata"]["name"], command["metadata"]["namespace"]
    return (
        f"{where}the controller has not carried out Command {name} within {WAIT:g} s; it does so once it runs."
        f" kubectl delete command {name} -n {namespace} withdraws it"
    )
