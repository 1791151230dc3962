"""`graph`: draws a flow from a file or from the cluster."""

import argparse

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.files.manifests import is_file, load
from cli.output import note, print_lines, say
from cli.pick import the_opened_flow
from cli.reads.sub_flows import opened
from drawing.flow_view import Unreadable
from drawing.graph_model import Drawing, Undrawable, drawing
from drawing.layers import Layers
from drawing.parts import Choice, NoSuchStep, Section, chosen
from shared.kinds import JOBFLOW
from shared.model.types import Body

_HINT = "a bar for each layer; --around STEP shows the steps near one, --whole all of them"


def run(arguments: argparse.Namespace) -> int:
    if is_file(arguments.flow):
        _draw(the_opened_flow(load([arguments.flow]), arguments.which, arguments.flow), arguments, live=False)
        return Exit.OK

    async def work(session: Session) -> int:
        body = await session.api.get(JOBFLOW, session.namespace, arguments.flow)
        _draw(await opened(session, body), arguments, live=True)
        return Exit.OK

    return live(arguments, work)


def _draw(body: Body, arguments: argparse.Namespace, *, live: bool) -> None:
    try:
        drawn = drawing(body, live=live)
        picture = chosen(drawn, _choice(arguments))
    except NoSuchStep as fault:
        raise CliError(f"the flow has no step {fault}", Exit.NO, "jobflow graph --whole lists them") from fault
    except (Unreadable, Undrawable) as fault:
        raise CliError(f"the flow cannot be drawn: {fault}", Exit.NO, "jobflow lint shows all faults") from fault
    if arguments.output == "svg":
        from drawing.svg.document import svg

        say(svg(picture), end="")
    elif arguments.output == "ascii":
        _text(picture)
    else:
        _markup(picture, arguments.output)
    if isinstance(picture, Layers) and not arguments.layers:
        note(f"{len(drawn.boxes)} steps: {_HINT}")


def _choice(arguments: argparse.Namespace) -> Choice:
    if arguments.around:
        return Choice(Section.AROUND, arguments.around)
    if arguments.layers:
        return Choice(Section.LAYERS)
    machine = arguments.output in ("mermaid", "dot")
    return Choice(Section.WHOLE if arguments.whole or machine else Section.AUTO)


def _text(picture: Drawing | Layers) -> None:
    from drawing.text import ascii_tree, layer_bars

    print_lines(layer_bars(picture) if isinstance(picture, Layers) else ascii_tree(picture))


def _markup(picture: Drawing | Layers, form: str) -> None:
    from drawing.markup import dot, mermaid

    if isinstance(picture, Layers):
        raise CliError(f"--layers cannot be drawn as {form}", Exit.USAGE, "use -o ascii or -o svg")
    say(mermaid(picture) if form == "mermaid" else dot(picture), end="")
