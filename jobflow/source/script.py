"""A program as data: calls and names of this package. Pure; `execute` runs it and `print_source` prints it."""

from collections.abc import Mapping

import msgspec


class Name(msgspec.Struct, frozen=True):
    """A variable, or its attribute: `train`, `flow`."""

    text: str


class Call(msgspec.Struct, frozen=True):
    """`function(*arguments, **options)`, then the methods on its result."""

    function: str
    arguments: tuple["Value", ...] = ()
    options: Mapping[str, "Value"] = {}
    methods: tuple["Call", ...] = ()


class Pairs(msgspec.Struct, frozen=True):
    """A dict whose keys may be tuples and numbers."""

    entries: tuple[tuple["Value", "Value"], ...]


class Order(msgspec.Struct, frozen=True):
    """`sources >> target`."""

    sources: tuple[Name, ...]
    target: Name


class Assign(msgspec.Struct, frozen=True):
    variable: str
    call: Call


class WithBlock(msgspec.Struct, frozen=True):
    """`with CALL as VARIABLE:` and what is in it."""

    variable: str
    call: Call
    body: tuple["Statement", ...]


Value = Name | Call | Pairs | str | int | float | bool | None | list["Value"] | tuple["Value", ...] | dict[str, "Value"]
Statement = Assign | WithBlock | Call | Order


class SourceScript(msgspec.Struct, frozen=True):
    """`objects`: the variables that hold what the manifests held."""

    statements: tuple[Statement, ...]
    objects: tuple[str, ...]
