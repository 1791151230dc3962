"""`suspend`, `resume`, `stop`, `retry`, `restart`, `approve`: Commands to JobFlows, and the result of each."""

import argparse
import contextlib
import math
from collections.abc import Callable
from typing import Any, Final

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.output import as_name, note, say
from cli.params import pairs
from cli.reads.who import own_name
from cli.sending import POLL, WAIT, command_exists, create_command, not_carried_out, requested, without_result
from shared import duration
from shared.actions.flow_messages import approval_of, forced_stop, retry_of
from shared.actions.results import DONE, WITHOUT_EFFECT, result_of, why_retry_waits
from shared.kinds import JOBFLOW
from shared.kube.client.errors import Forbidden
from shared.model.command_message import written
from shared.model.phases import FlowAction
from shared.model.types import Body
from shared.names import APPROVER

_POLLS_A_READ: Final = 7  # the flow may be large: it is read less often than the Command
_EXITS: Final = {DONE: Exit.OK, WITHOUT_EFFECT: Exit.NO}
_VERBS: Final = {
    "suspend": FlowAction.SUSPEND,
    "resume": FlowAction.RESUME,
    "stop": FlowAction.TERMINATE,
    "retry": FlowAction.RETRY,
    "restart": FlowAction.RESTART,
}

Message = Callable[[argparse.Namespace, Body], str]


def _send(verb: str, message: Message = lambda arguments, flow: "") -> Callable[[argparse.Namespace], int]:
    """The function of a verb: one Command for each flow, in the given order. The worst exit code counts."""

    def run(arguments: argparse.Namespace) -> int:
        async def work(session: Session) -> int:
            return max([await _send_one(session, name, verb, arguments, message) for name in arguments.names])

        return live(arguments, work)

    return run


async def _send_one(session: Session, name: str, verb: str, arguments: argparse.Namespace, message: Message) -> int:
    flow = await session.api.get(JOBFLOW, session.namespace, name)
    if verb == "resume":
        await _try_to_resume(session, flow)
    command = await create_command(session, flow, _VERBS[verb], verb, message(arguments, flow))
    if arguments.no_wait:
        say(requested(f"{as_name(flow)}: ", verb, command))
        return Exit.OK
    return await _report(session, flow, command, verb)


async def _report(session: Session, flow: Body, command: Body, verb: str) -> int:
    """Wait until the controller has carried the Command out, and say what it did."""
    name, where = command["metadata"]["name"], f"{as_name(flow)}: "
    for poll in range(round(WAIT / POLL)):
        await session.transport.pause(POLL)
        exists = await command_exists(session, command)
        if exists and (verb != "retry" or poll % _POLLS_A_READ):
            continue
        flow = await session.api.get(JOBFLOW, session.namespace, flow["metadata"]["name"])
        if found := result_of(flow, command):
            return _print_result(where, verb, *found)
        if not exists:
            note(without_result(where, flow, command))
            return Exit.NO
        if why := why_retry_waits(flow):
            say(f"{where}the retry takes effect once the flow has ended: {why} (Command {name})")
            return Exit.OK
    note(not_carried_out(where, command))
    return Exit.NO


def _print_result(where: str, verb: str, result: str, message: str) -> int:
    code = _EXITS.get(result, Exit.REFUSED)
    if code is Exit.OK:
        say(f"{where}{message or f'{verb} is done'}")
    else:
        note(f"{where}{verb} {'has no effect' if code is Exit.NO else 'was refused'}: {message}")
    return code


async def _try_to_resume(session: Session, flow: dict[str, Any]) -> None:
    """Try the change with dry run, to report now if a policy would refuse it to the controller.

    Users who may not change the flow can still send the Command.
    """
    if (flow.get("spec") or {}).get("suspend"):
        metadata = flow["metadata"]
        with contextlib.suppress(Forbidden):
            change = {"spec": {"suspend": False}}
            await session.api.patch(JOBFLOW, metadata["namespace"], metadata["name"], change, dry_run=True)


def _stop_message(arguments: argparse.Namespace, flow: Body) -> str:
    return written(forced_stop(flow)) if arguments.force else ""


def _retry_message(arguments: argparse.Namespace, flow: Body) -> str:
    if arguments.start and arguments.step:
        raise CliError("--from and --step: give one of them")
    more: dict[str, Any] = {"params": pairs(arguments.param, "-p"), "now": arguments.now}
    if arguments.deadline:
        more["active_deadline_seconds"] = _seconds(arguments.deadline)
    message = retry_of(flow, from_=arguments.start, step=arguments.step, **more)
    return written(message) if message != retry_of(flow) else ""


def _seconds(text: str) -> int:
    try:
        found = duration.seconds(text)
    except duration.DurationError as error:
        raise CliError(f"--deadline: {error}", hint="write it as 90s, 30m or 2h") from error
    if not 0 < found < 2**31:
        raise CliError(f"--deadline {text}: must be longer than 0 and shorter than 68 years")
    return math.ceil(found)


def approve(arguments: argparse.Namespace) -> int:
    """Answer for a step that waits for a person; 0 once the controller has recorded the answer."""

    async def work(session: Session) -> int:
        flow = await session.api.get(JOBFLOW, session.namespace, arguments.name)
        verb = "reject" if arguments.reject else "approve"
        try:
            message = approval_of(flow, arguments.step, approved=not arguments.reject, text=arguments.message)
        except ValueError as fault:
            raise CliError(str(fault), Exit.NO, "jobflow status shows what the flow waits for") from fault
        approver = {APPROVER: await own_name(session)}
        command = await create_command(session, flow, FlowAction.APPROVE, verb, written(message), approver)
        if arguments.no_wait:
            say(requested(f"{as_name(flow)}: ", verb, command))
            return Exit.OK
        return await _report(session, flow, command, verb)

    return live(arguments, work)


suspend = _send("suspend")
resume = _send("resume")
stop = _send("stop", _stop_message)
retry = _send("retry", _retry_message)
restart = _send("restart")
