"""The picture of a flow: SVG in a notebook, a tree in a terminal."""

import msgspec

from shared.model.types import Body


class FlowGraph(msgspec.Struct, frozen=True):
    """`svg`: the picture; `text`: the tree. `print(graph)` shows the tree, a notebook the picture."""

    svg: str
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.svg

    def save(self, file: str) -> None:
        """Write the SVG to a file."""
        with open(file, "w", encoding="utf-8") as out:
            out.write(self.svg)


def graph(body: Body, *, live: bool = False) -> FlowGraph:
    """`live`: with the phases of the JobFlow's status. Raises ValueError for a graph that cannot be drawn."""
    from drawing.flow_view import Unreadable
    from drawing.graph_model import Undrawable, drawing
    from drawing.layers import Layers
    from drawing.parts import Choice, Section, chosen
    from drawing.svg.document import svg
    from drawing.text import ascii_tree, layer_bars

    try:
        drawn = drawing(body, live=live)
        picture = chosen(drawn, Choice(Section.AUTO))
    except (Unreadable, Undrawable) as fault:
        raise ValueError(f"the flow cannot be drawn: {fault}; call flow.lint() for details") from fault
    lines = layer_bars(picture) if isinstance(picture, Layers) else ascii_tree(picture)
    return FlowGraph(svg(picture), "\n".join(line.plain.rstrip() for line in lines))
