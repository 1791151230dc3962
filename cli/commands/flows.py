"""`list` and `delete` of JobFlows."""

import argparse
import time
from contextlib import aclosing

from cli.client import Session, live
from cli.exits import Exit
from cli.output import as_name, note, print_bodies, print_lines, say
from cli.views import lists
from cli.views.table import NONE, columns
from shared.kinds import JOBFLOW
from shared.model.types import Body


def list_flows(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        if arguments.output in ("", "wide"):
            table = await _printed(session, arguments)
            show_table(table or await _table(session, arguments), session.namespace)
        else:
            print_bodies(await _bodies(session, arguments), arguments.output, listed=True)
        return Exit.OK

    return live(arguments, work)


async def _printed(session: Session, arguments: argparse.Namespace) -> lists.Table | None:
    """The table as the API server prints it, which is a tenth of the work; None where it lacks something."""
    heads, rows = lists.flow_heads(namespaced=not session.namespace, wide=arguments.output == "wide"), []
    columns: list[str] = []
    async with aclosing(session.api.printed(JOBFLOW, session.namespace, label_selector=arguments.selector)) as pages:
        async for page in pages:
            columns = columns or [column.name.upper() for column in page.columns]
            found = lists.printed_flows(page, columns, heads)
            if found is None:
                return None
            rows += found
    return heads, rows


async def _table(session: Session, arguments: argparse.Namespace) -> lists.Table:
    found = await _bodies(session, arguments)
    return lists.flows(found, time.time(), namespaced=not session.namespace, wide=arguments.output == "wide")


async def _bodies(session: Session, arguments: argparse.Namespace) -> list[Body]:
    return [body async for body in session.api.list(JOBFLOW, session.namespace, label_selector=arguments.selector)]


def delete_flows(arguments: argparse.Namespace) -> int:
    async def work(session: Session) -> int:
        for name in arguments.names:
            body = await session.api.get(JOBFLOW, session.namespace, name)
            await session.api.delete(JOBFLOW, session.namespace, name, uid=body["metadata"]["uid"])
            say(f"{as_name(body)} deleted")
        return Exit.OK

    return live(arguments, work)


def show(form: str, bodies: list[dict[str, object]], table: lists.Table, namespace: str = "") -> None:
    """Print a list in the requested format."""
    if form in ("json", "yaml", "name"):
        print_bodies(bodies, form, listed=True)
    else:
        show_table(table, namespace)


def show_table(table: lists.Table, namespace: str) -> None:
    """Print the rows, or that there are none."""
    if table[1]:
        print_lines(columns(*table))
    else:
        note(f"{NONE} in namespace {namespace}" if namespace else NONE)
