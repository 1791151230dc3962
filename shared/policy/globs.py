"""Patterns of names: `*` is any text, `/` included, `?` one character; everything else is itself."""

import fnmatch
import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_UNKNOWN: Final = re.compile(r"[\[\]{}\\^$|()+!,\s]")
_REGISTRY: Final = "docker.io"


class Globs(msgspec.Struct, frozen=True):
    """Several patterns; a name is taken when one of them fits."""

    texts: tuple[str, ...]
    pattern: re.Pattern[str]

    def fits(self, *names: str) -> bool:
        return any(self.pattern.fullmatch(name) for name in names)


def globs(texts: Iterable[str]) -> Globs:
    """The patterns as one. fnmatch makes atomic groups of them, so that none can be slow."""
    given = tuple(texts)
    # Brackets are no wildcards here: `[` is written so that fnmatch reads it as itself.
    pattern = "|".join(fnmatch.translate(text.replace("[", "[[]")) for text in given)
    return Globs(given, re.compile(pattern or r"(?!)"))


def glob_fault(text: str) -> str | None:
    """Why `text` is no pattern, or None."""
    if not text:
        return "an empty pattern fits nothing"
    if found := _UNKNOWN.search(text):
        return f'"{found[0]}" cannot be in a name; a pattern has the wildcards * (any text) and ? (one character) only'
    return None


def names_of_image(image: str) -> Iterator[str]:
    """The image as written and as a runtime reads it: `busybox` is `docker.io/library/busybox`."""
    yield image
    registry, slash, _ = image.partition("/")
    if not slash:
        yield f"{_REGISTRY}/library/{image}"
    elif not ("." in registry or ":" in registry or registry == "localhost"):
        yield f"{_REGISTRY}/{image}"
