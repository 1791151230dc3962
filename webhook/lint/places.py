"""Where the fields of an object were written: a line of a YAML file, or of the program that made the object."""

import re
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec

from shared.model.types import Body

_PART: Final = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


class Place(msgspec.Struct, frozen=True):
    """Counted from 1, as editors do. `file`: "" for that of the whole object."""

    line: int = 1
    column: int = 1
    file: str = ""


class Located(Protocol):
    """An object to be judged, with the places of its fields."""

    @property
    def file(self) -> str: ...

    @property
    def body(self) -> Body: ...

    def place(self, path: str) -> Place:
        """Where the field `spec.flows[3].dependsOn` stands; of a field that is missing, the nearest thing around it."""
        ...


class Broken(msgspec.Struct, frozen=True):
    """A file that ends in a YAML fault, or holds something that is no object."""

    file: str
    place: Place
    message: str


def parts(path: str) -> Iterator[str]:
    """The keys and indexes of a field's path."""
    for index, name in _PART.findall(path):
        yield name or index


def remove(body: Any, path: str) -> None:
    """Take the value at `path` out of a JSON value; nothing happens where there is none."""
    *parents, last = parts(path)
    for part in parents:
        if isinstance(body, list):
            body = body[int(part)] if part.isdigit() and int(part) < len(body) else None
        else:
            body = body.get(part) if isinstance(body, dict) else None
    if isinstance(body, dict):
        body.pop(last, None)
