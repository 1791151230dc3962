"""A line of text with colours. The library rich shows them; it is imported only for a terminal, because that takes
longer than most commands.
"""

from typing import TYPE_CHECKING, Self

from drawing.terminal_text import printable

if TYPE_CHECKING:
    from rich.text import Text


class StyledLine:
    """Pieces of text, each with a style of rich such as `bold red`; '' for none. Control characters are spelled out."""

    def __init__(self, text: str = "", style: str = "") -> None:
        self._pieces: list[tuple[str, str]] = [(printable(text), style)]
        self._width = 0

    @classmethod
    def of(cls, *pieces: str | tuple[str, str]) -> Self:
        """Of texts without a style and of (text, style)."""
        line = cls()
        for piece in pieces:
            line.append(*((piece, "") if isinstance(piece, str) else piece))
        return line

    @property
    def plain(self) -> str:
        return self.rich().plain if self._width else "".join(text for text, _ in self._pieces)

    def append(self, text: str, style: str = "") -> None:
        self._pieces.append((printable(text), style))

    def indented(self, by: str) -> "StyledLine":
        return StyledLine.of(by, *self._pieces)

    def rstrip(self) -> None:
        """Remove spaces at the end."""
        while self._pieces:
            text, style = self._pieces.pop()
            if kept := text.rstrip():
                self._pieces.append((kept, style))
                return

    def cut(self, width: int) -> None:
        """Show at most `width` columns of a terminal, with … at the end if something is left out."""
        self._width = width

    def rich(self) -> "Text":
        from rich.text import Text

        text = Text.assemble(*self._pieces)
        if self._width:
            text.truncate(self._width, overflow="ellipsis")
        return text
