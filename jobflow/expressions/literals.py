"""CEL texts: literals, names, parentheses. Pure."""

import json
import math
import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "null",
        "package",
        "namespace",
        "return",
        "true",
        "var",
        "void",
        "while",
    ]
)


class Level(IntEnum):
    """How tightly the outermost operator of an expression binds."""

    OR = 1
    AND = 2
    RELATION = 3
    SUM = 4
    PRODUCT = 5
    UNARY = 6
    PRIMARY = 7


def literal(value: str | float | bool) -> str:
    """`value` as CEL writes it. Raises ValueError for a number that CEL does not have."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{value} does not fit into 64 bits, as numbers in expressions must")
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written in an expression")
        return repr(value)
    if "\0" in value or not _is_unicode(value):
        raise ValueError(f"{value!r} has a character that texts in the cluster cannot have")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def literal_list(values: Sequence[str | int | float | bool]) -> str:
    return f"[{', '.join(literal(each) for each in values)}]"


def member(base: str, name: str) -> str:
    """`base.name`, or `base["name"]` where the name is no identifier."""
    plain = _IDENTIFIER.fullmatch(name) and name not in _RESERVED
    return f"{base}.{name}" if plain else f"{base}[{literal(name)}]"
