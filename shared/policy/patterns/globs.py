"""Patterns of names: `*` matches any text (including `/`), `?` one character, and everything else matches itself."""

import fnmatch
import re
from collections.abc import Iterable
from typing import Final

import msgspec

_UNKNOWN: Final = re.compile(r"[\[\]{}\\^$|()+!,\s]")


class Globs(msgspec.Struct, frozen=True):
    """Several patterns, of which one must match."""

    texts: tuple[str, ...]
    pattern: re.Pattern[str]

    def fits(self, *names: str) -> bool:
        return any(self.pattern.fullmatch(name) for name in names)


def globs(texts: Iterable[str]) -> Globs:
    """Joins the patterns. fnmatch writes them with atomic groups, so none of them can be slow."""
    given = tuple(texts)
    # Brackets are not wildcards here, so `[` is escaped for fnmatch.
    pattern = "|".join(fnmatch.translate(text.replace("[", "[[]")) for text in given)
    return Globs(given, re.compile(pattern or r"(?!)"))


def glob_fault(text: str) -> str | None:
    """Why `text` is not a pattern, or None."""
    if not text:
        return "an empty pattern matches nothing"
    if found := _UNKNOWN.search(text):
        return f'"{found[0]}" cannot be in a name; a pattern has the wildcards * (any text) and ? (one character) only'
    return None
