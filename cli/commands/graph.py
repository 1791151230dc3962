"""`graph`: draws a flow of a file or of the cluster."""

import argparse
import sys

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.files.manifests import is_file, load
from cli.output import console
from cli.pick import the_flow
from drawing.flow_view import Unreadable
from drawing.graph_model import Drawing, Undrawable, drawing
from shared.kinds import JOBFLOW
from shared.model.types import Body


def run(arguments: argparse.Namespace) -> int:
    if is_file(arguments.flow):
        _draw(the_flow(load([arguments.flow]), arguments.which, arguments.flow), arguments.output, live=False)
        return Exit.OK

    async def work(session: Session) -> int:
        body = await session.api.get(JOBFLOW, session.namespace, arguments.flow)
        _draw(body, arguments.output, live=True)
        return Exit.OK

    return live(arguments, work)


def _draw(body: Body, form: str, *, live: bool) -> None:
    try:
        drawn = drawing(body, live=live)
    except (Unreadable, Undrawable) as fault:
        raise CliError(f"the flow cannot be drawn: {fault}", Exit.NO, "jobflow lint tells more") from fault
    if form == "svg":
        from drawing.svg import svg

        sys.stdout.write(svg(drawn))
        return
    _text(drawn, form)


def _text(drawn: Drawing, form: str) -> None:
    from drawing import text

    if form == "ascii":
        out = console(sys.stdout)
        for line in text.ascii_tree(drawn):
            out.print(line, soft_wrap=True, highlight=False)
    else:
        sys.stdout.write(text.mermaid(drawn) if form == "mermaid" else text.dot(drawn))
