"""A value of a raw object together with its path, and the Violations that rules make of it.

Reading is total: a value of the wrong type reads as absent, since the structural check has reported it already.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from shared.violation import Reason, Violation


class Field(msgspec.Struct, frozen=True):
    """`path`: where `value` (any JSON) stands."""

    path: str
    value: Any

    def get(self, name: str) -> "Field":
        found = self.value.get(name) if isinstance(self.value, Mapping) else None
        return Field(f"{self.path}.{name}", found)

    def key(self, name: str) -> "Field":
        """An entry of a map whose keys are data: `limits[nvidia.com/gpu]`."""
        found = self.value.get(name) if isinstance(self.value, Mapping) else None
        return Field(f"{self.path}[{name}]", found)

    @property
    def items(self) -> Iterator["Field"]:
        """The elements of a list."""
        if isinstance(self.value, list | tuple):
            for index, value in enumerate(self.value):
                yield Field(f"{self.path}[{index}]", value)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a map, as far as they are strings."""
        return tuple(key for key in self.value if isinstance(key, str)) if isinstance(self.value, Mapping) else ()

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    @property
    def true(self) -> bool:
        return self.value is True

    @property
    def present(self) -> bool:
        return self.value is not None

    @property
    def holds(self) -> bool:
        """Whether a list or a map has anything in it."""
        return isinstance(self.value, list | tuple | Mapping) and len(self.value) > 0

    def invalid(self, message: str) -> Violation:
        """An absent value shows as the empty text that Kubernetes reads it as."""
        return Violation(self.path, message, self.value if self.present else "")

    def required(self, message: str = "") -> Violation:
        return Violation(self.path, message, reason=Reason.REQUIRED)

    def forbidden(self, message: str) -> Violation:
        return Violation(self.path, message, self.value, Reason.FORBIDDEN)

    def duplicate(self, value: Any = None) -> Violation:
        return Violation(self.path, "", self.value if value is None else value, Reason.DUPLICATE)

    def not_found(self, message: str = "") -> Violation:
        return Violation(self.path, message, self.value, Reason.NOT_FOUND)

    def one_of(self, *allowed: str) -> Iterator[Violation]:
        """A fault if a text is given and is not one of these; absence is the default's business."""
        if self.text and self.text not in allowed:
            options = ", ".join(f'"{option}"' for option in allowed)
            yield Violation(self.path, f"supported values: {options}", self.value, Reason.NOT_SUPPORTED)

    def each(self, messages: Iterable[str]) -> Iterator[Violation]:
        """One Invalid fault for every message."""
        for message in messages:
            yield self.invalid(message)
