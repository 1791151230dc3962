"""The line of the user's program that called this package, down to the argument that holds a value."""

import ast
import linecache
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from types import CodeType
from typing import Final

_PACKAGE: Final = __name__.partition(".")[0]
_INNER: Final = f"{_PACKAGE}."


class Spot:
    """A call in a file. The file is read only when a fault is to be shown."""

    __slots__ = ("_code", "_instruction", "file", "line")

    def __init__(self, file: str, line: int, code: CodeType | None = None, instruction: int = -1) -> None:
        self.file = file
        self.line = line
        self._code = code
        self._instruction = instruction

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def argument(self, name: str, inside: Sequence[str] = ()) -> int:
        """The line of an argument or, within its list or dict, of `inside`; else that of the call.

        `name`: its keyword, its position, or both: `over:0`.
        """
        call = self._call()
        if call is None:
            return self.line
        first, node = call
        found = _argument(node, name)
        if found is None:
            return self.line
        for part in inside:
            deeper = _member(found, part)
            if deeper is None:
                break
            found = deeper
        return first + found.lineno - 1

    def _call(self) -> tuple[int, ast.Call] | None:
        """(its first line, the call) as it is written in the file."""
        if self._code is None or self._instruction < 0:
            return None
        position = next(islice(self._code.co_positions(), self._instruction // 2, None), None)
        if position is None or None in position:
            return None
        first, end, start, stop = (each or 0 for each in position)
        node = _parsed(self.file, first, end, start, stop)
        return (first, node) if isinstance(node, ast.Call) else None


def here() -> Spot:
    """The nearest caller that is not of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__") or ""
        if name != _PACKAGE and not name.startswith(_INNER):
            break
        frame = frame.f_back
    return Spot(frame.f_code.co_filename, frame.f_lineno, frame.f_code, frame.f_lasti)


@lru_cache(maxsize=256)
def _parsed(file: str, first: int, end: int, start: int, stop: int) -> ast.expr | None:
    lines = [line.encode() for line in linecache.getlines(file)[first - 1 : end]]
    if not lines:
        return None
    lines[-1] = lines[-1][:stop]
    lines[0] = lines[0][start:]
    try:
        return ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    keyword, _, position = name.rpartition(":") if ":" in name else (name, "", name)
    given = next((each.value for each in call.keywords if each.arg == keyword), None)
    if given is None and position.isdigit() and int(position) < len(call.args):
        return call.args[int(position)]
    return given


def _member(node: ast.expr, part: str) -> ast.expr | None:
    if isinstance(node, ast.List | ast.Tuple) and part.isdigit() and int(part) < len(node.elts):
        return node.elts[int(part)]
    if isinstance(node, ast.Dict):
        return next((value for key, value in _entries(node) if key == part), None)
    return None


def _entries(node: ast.Dict) -> Iterator[tuple[str, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, value
