"""Moves the imports of our top-level packages below `jobflow`, so that an install takes one name and not eight."""

import ast
import re
from collections.abc import Collection, Iterator
from typing import Final

PUBLIC: Final = "jobflow"
"""The only top-level name of the wheel. Of our packages only this one keeps its name there."""


class ImportStyleError(ValueError):
    """An import that names a top-level package by itself, which has no counterpart below `jobflow`."""


def installed_name(name: str) -> str:
    """The name in the wheel of a module of the repository, e.g. `jobflow._cli.main` of `cli.main`."""
    return name if name.partition(".")[0] == PUBLIC else f"{PUBLIC}._{name}"


def rewrite(source: bytes, wings: Collection[str]) -> bytes:
    """The same module with `from WING...` of each of `wings` naming the package in the wheel.

    Only these words change: lines and columns of all others stay as they are. Raises ImportStyleError for `import WING`.
    """
    lines = source.splitlines(keepends=True)
    for node in _imports(ast.parse(source), wings):
        row, column = node.lineno - 1, node.col_offset
        line = lines[row]
        if not (found := re.match(rb"from[ \t]+(\w+)", line[column:])):
            raise ImportStyleError(f"line {node.lineno}: write `from {node.module} import` on one line")
        start, end = column + found.start(1), column + found.end(1)
        lines[row] = line[:start] + installed_name(found[1].decode()).encode() + line[end:]
    return b"".join(lines)


def _imports(tree: ast.Module, wings: Collection[str]) -> Iterator[ast.ImportFrom]:
    """The imports to rewrite; at most one on a line, which is what the formatter leaves."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in wings:
                    raise ImportStyleError(f"line {node.lineno}: import {alias.name}: write `from ... import` instead")
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            wing = node.module.partition(".")[0]
            if wing in wings and wing != PUBLIC:
                yield node
