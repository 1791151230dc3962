"""Problems of expressions, with position and hint."""

import difflib
from collections.abc import Iterable
from typing import Final

import msgspec

SHOWN: Final = 10


class Problem(msgspec.Struct, frozen=True):
    """One fault in the text of an expression. `line` and `column` count from 1, in characters."""

    message: str
    line: int = 1
    column: int = 1
    hint: str = ""

    def __str__(self) -> str:
        """`1:9: undefined field "phas" of a step; did you mean "phase"?`, for the message of a Violation."""
        return f"{self.line}:{self.column}: {self.message}" + (f"; {self.hint}" if self.hint else "")


def at(text: str, offset: int, message: str, hint: str = "") -> Problem:
    """A problem at a character offset of the text."""
    before = text[: max(offset, 0)]
    return Problem(message, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, hint)


def nearest(name: str, known: Iterable[str], label: str = "known") -> str:
    """`did you mean "x"?` for the most similar known name, else a list of known names (at most ten)."""
    names = sorted(set(known))
    similar = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if similar:
        return f'did you mean "{similar[0]}"?'
    if not names:
        return ""
    return f"{label}: {', '.join(names[:SHOWN])}" + (", ..." if len(names) > SHOWN else "")
