"""The positions of an object's fields: lines of a YAML file, or of the program that built the object."""

import re
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from shared.model.types import Body

_PART: Final = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


class Place(msgspec.Struct, frozen=True):
    """A line and a column, counted from 1 as in editors. `file`: "" for the file of the whole object."""

    line: int = 1
    column: int = 1
    file: str = ""


class Located(Protocol):
    """An object to check, with the positions of its fields."""

    @property
    def file(self) -> str: ...

    @property
    def body(self) -> Body: ...

    def place(self, path: str) -> Place:
        """The position of a field such as `spec.flows[3].dependsOn`; for a missing field, of its nearest parent."""
        ...


class Broken(msgspec.Struct, frozen=True):
    """A part of a file that is not valid YAML or not an object."""

    file: str
    place: Place
    message: str


def parts(path: str) -> Iterator[str]:
    """The keys and indexes of a field path."""
    for index, name in _PART.findall(path):
        yield name or index
