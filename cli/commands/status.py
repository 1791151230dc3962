"""`status`: prints a flow once, or updates a tree until the flow has ended."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.output import console, print_bodies, print_lines, terminal_width
from cli.reads.sub_flows import sub_flows
from cli.views.status import picture
from drawing.flow_view import FlowView, Unreadable, flow_view
from drawing.nested import tasks_of_steps, with_sub_flows
from drawing.styled_line import StyledLine
from shared.kinds import JOBFLOW, POD
from shared.kube.client.errors import Forbidden
from shared.model.phases import FlowPhase, StepPhase
from shared.model.types import Body
from shared.names import JOB_NAME

if TYPE_CHECKING:
    from rich.console import Console


def run(arguments: argparse.Namespace) -> int:
    """Return 0 without --watch; with it, 0 only if the flow succeeded."""

    async def work(session: Session) -> int:
        if arguments.watch:
            return await watch(session, arguments.name)
        body = await session.api.get(JOBFLOW, session.namespace, arguments.name)
        if arguments.output:
            print_bodies([body], arguments.output)
            return Exit.OK
        seen = view(body, await _pods(session), await sub_flows(session, body))
        print_lines(picture(seen, time.time(), terminal_width()))
        return Exit.OK

    return live(arguments, work, follows=arguments.watch)


async def watch(session: Session, name: str) -> int:
    """Show the flow until it has ended, as a tree on a terminal or one line for each change. Return the exit code."""
    from cli.follow import changes  # the caches take longer to import than a status takes

    async with aclosing(changes(session, name)) as looks:
        if terminal_width():
            last = await _live(console(sys.stdout), looks)
        else:
            last = await _lines(looks)
    if not last.over:
        raise CliError(f'jobflow "{name}" was deleted during the watch', Exit.NOT_FOUND)
    return Exit.OK if last.phase is FlowPhase.SUCCEED else Exit.NO


def view(body: Body, pods: list[Body], flows: Sequence[Body] = ()) -> FlowView:
    """The flow with its sub-flows in place. `flows`: JobFlows of the namespace."""
    try:
        return flow_view(with_sub_flows(body, flows), tasks_of_steps(body, flows, pods))
    except Unreadable as error:
        raise CliError(f"the JobFlow cannot be read: {error}", Exit.NO) from error


async def _live(out: "Console", looks: Any) -> FlowView:
    from rich.console import Group
    from rich.live import Live

    with Live(console=out, auto_refresh=False, vertical_overflow="crop") as shown:
        async for body, pods, flows in looks:
            seen = view(body, pods, flows)
            lines = picture(seen, time.time(), out.width, out.height - 1)
            shown.update(Group(*(line.rich() for line in lines)), refresh=True)
            if seen.over:
                break
    return seen


async def _lines(looks: Any) -> FlowView:
    """Print each change once, for the logs of pipelines."""
    known: dict[str, tuple[str, str]] = {}
    async for body, _, flows in looks:
        seen = view(body, [], flows)
        now = time.strftime("%H:%M:%S")
        for name, text in changed(seen, known):
            print_lines([StyledLine(f"{now}  {name}: {text}")])
        sys.stdout.flush()
        if seen.over:
            break
    return seen


def changed(seen: FlowView, known: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """(name, phase and reason) of the flow and each step that differs from `known`; updates `known`."""
    for step in seen.steps:
        state = (step.phase, step.reason)
        if known.get(step.name, (StepPhase.WAITING, "")) != state:
            why = ": ".join(part for part in (step.reason, step.message) if part)
            yield f"step {step.name}", f"{step.phase}  {why}".rstrip()
        known[step.name] = state
    if known.get("") != (seen.phase, ""):
        yield f"flow {seen.name}", seen.phase
    known[""] = (seen.phase, "")


async def _pods(session: Session) -> list[Body]:
    """Pods of Jobs in the namespace; empty if the user may not list pods."""
    try:
        return [pod async for pod in session.api.list(POD, session.namespace, label_selector=JOB_NAME)]
    except Forbidden:
        return []
