"""Names of Python variables for what the names of Kubernetes name."""

import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from jobflow.source.script import Name

_TAKEN: Final = frozenset(
    (*keyword.kwlist, "Approve", "Flow", "Job", "JobTemplate", "Manifest", "Output", "Resource", "SubFlow", "Switch", "Task", "Template",
     "to_yaml", "range", "print", "flow")
)  # fmt: skip


class Variables:
    """The names that a module has used so far."""

    def __init__(self) -> None:
        self._taken: set[str] = set(_TAKEN)

    def new(self, name: str) -> Name:
        """A name that Python takes and that is free."""
        plain = re.sub(r"\W", "_", name.lower())
        plain = plain if plain[:1].isalpha() or plain.startswith("_") else f"_{plain}"
        number, free = 1, plain
        while free in self._taken:
            number += 1
            free = f"{plain}_{number}"
        self._taken.add(free)
        return Name(free)

    @contextmanager
    def block(self) -> Iterator[None]:
        """What is named within is free again afterwards."""
        before = set(self._taken)
        yield
        self._taken = before
