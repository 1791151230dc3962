"""Reads the YAML that kubectl writes, without the YAML library, whose import takes a fifth of the time of a short command.

Only nested mappings and sequences in block style, of words on one line, are read here. Everything else, also what YAML
might take for a number, is left to the library.
"""

import re
from typing import Any, Final, TypeAlias

_Line: TypeAlias = tuple[int, str]
_WORD: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./:@+=%-]*(?<!:)", re.ASCII)
_OTHER_TYPES: Final = frozenset(("yes", "no", "on", "off", "true", "false", "null", "y", "n"))
_VALUES: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}
_DEEPEST: Final = 40  # spaces before a line


class NotPlain(ValueError):
    """The text contains something that only the YAML library can read, or is not YAML."""


def read(text: str) -> Any:
    """The value of the text, as the YAML library reads it. Raises NotPlain."""
    lines = [
        (len(line) - len(bare), bare.rstrip(" "))
        for line in text.split("\n")
        if (bare := line.lstrip(" ")) and not bare.startswith("#")
    ]
    if lines and lines[0] == (0, "---"):
        del lines[0]
    if not lines or max(indent for indent, _ in lines) > _DEEPEST:
        raise NotPlain
    lines.reverse()  # the next line is the last, which is cheap to take away
    value = _block(lines, lines[-1][0])
    if lines:
        raise NotPlain
    return value


def _block(lines: list[_Line], indent: int) -> Any:
    return _sequence(lines, indent) if lines[-1][1].startswith("- ") else _mapping(lines, indent)


def _sequence(lines: list[_Line], indent: int) -> list[Any]:
    found = []
    while lines and lines[-1][0] == indent and lines[-1][1].startswith("- "):
        rest = lines.pop()[1][1:]
        item = rest.lstrip(" ")
        if ": " not in item and not item.endswith(":"):
            found.append(_scalar(item))
            continue
        # the first key of a mapping is on the line of the dash
        below = indent + 1 + len(rest) - len(item)
        lines.append((below, item))
        found.append(_mapping(lines, below))
    return found


def _mapping(lines: list[_Line], indent: int) -> dict[str, Any]:
    found = {}
    while lines and lines[-1][0] == indent and not lines[-1][1].startswith("- "):
        key, colon, rest = lines.pop()[1].partition(":")
        if not colon or (rest and not rest.startswith(" ")):
            raise NotPlain
        found[_word(key)] = _scalar(rest.lstrip(" ")) if rest else _below(lines, indent)
    if not found:
        raise NotPlain
    return found


def _below(lines: list[_Line], indent: int) -> Any:
    """The value of a key with nothing after its colon. A sequence may have the indent of the key."""
    if not lines or lines[-1][0] < indent or (lines[-1][0] == indent and not lines[-1][1].startswith("- ")):
        return None
    return _block(lines, lines[-1][0])


def _scalar(text: str) -> Any:
    if text in _VALUES:
        return _VALUES[text]
    if text == "{}":
        return {}
    inner = text[1:-1]
    if (
        len(text) > 1
        and text[0] == text[-1] == '"'
        and inner.isascii()
        and inner.isprintable()
        and not {*'"\\'} & {*inner}
    ):
        return inner
    return _word(text)


def _word(text: str) -> str:
    if not _WORD.fullmatch(text) or text.lower() in _OTHER_TYPES:
        raise NotPlain
    return text
