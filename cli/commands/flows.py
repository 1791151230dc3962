"""`list` and `delete` of JobFlows."""

import argparse
import sys
import time

from rich.text import Text

from cli.client import Session, live
from cli.exits import Exit
from cli.output import as_name, console, note, print_bodies
from cli.views import lists
from cli.views.table import NONE, columns
from shared.kinds import JOBFLOW


def list_flows(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        found = [body async for body in session.api.list(JOBFLOW, session.namespace, label_selector=arguments.selector)]
        everywhere = not session.namespace
        table = lists.flows(found, time.time(), namespaced=everywhere, wide=arguments.output == "wide")
        show(arguments.output, found, table, session.namespace)
        return Exit.OK

    return live(arguments, work)


def delete_flows(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        for name in arguments.names:
            body = await session.api.get(JOBFLOW, session.namespace, name)
            await session.api.delete(JOBFLOW, session.namespace, name, uid=body["metadata"]["uid"])
            print(f"{as_name(body)} deleted")
        return Exit.OK

    return live(arguments, work)


def show(form: str, bodies: list[dict[str, object]], table: lists.Table, namespace: str = "") -> None:
    """Print a list in the requested format."""
    if form in ("json", "yaml", "name"):
        print_bodies(bodies, form, listed=True)
    elif not bodies:
        note(f"{NONE} in namespace {namespace}" if namespace else NONE)
    else:
        # one print: rich takes five times as long for the lines one by one
        console(sys.stdout).print(Text("\n").join(columns(*table)), soft_wrap=True, highlight=False)
