"""Tables as kubectl prints them: without borders, nothing cut off, phases in colour. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from drawing.phase_style import COLOURS
from drawing.styled_line import StyledLine
from drawing.terminal_text import printable

_GAP: Final = 3
NONE: Final = "No resources found"


def columns(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[StyledLine]:
    """A header and the rows; every column is as wide as its widest cell, the last one is not padded."""
    cells = [tuple(heads), *(tuple(map(printable, row)) for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    for number, row in enumerate(cells):
        line = StyledLine()
        for place, cell in enumerate(row):
            padded = cell if place == len(row) - 1 else f"{cell:<{widths[place] + _GAP}}"
            line.append(padded, "bold" if number == 0 else COLOURS.get(cell, ""))
        line.rstrip()
        yield line
