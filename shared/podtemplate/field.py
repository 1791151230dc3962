"""A value in a raw object with its path, for rules that return Violations.

Reading never raises: a value of the wrong type reads as absent, since the structural check has reported it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.violation import Reason, Violation


class Field(msgspec.Struct, frozen=True):
    """A `value` (any JSON) and its `path`."""

    path: str
    value: Any

    def get(self, name: str) -> "Field":
        found = self.value.get(name) if isinstance(self.value, dict) else None
        return Field(f"{self.path}.{name}", found)

    def key(self, name: str) -> "Field":
        """An entry of a map with arbitrary keys, such as `limits[nvidia.com/gpu]`."""
        found = self.value.get(name) if isinstance(self.value, dict) else None
        return Field(f"{self.path}[{name}]", found)

    @property
    def items(self) -> Iterator["Field"]:
        """The elements of a list."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Field(f"{self.path}[{index}]", value)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a map that are strings."""
        return tuple(key for key in self.value if isinstance(key, str)) if isinstance(self.value, dict) else ()

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
        """Whether it is a list or a map that is not empty."""
        return isinstance(self.value, list | dict) and len(self.value) > 0

    def invalid(self, message: str) -> Violation:
        """A fault of reason Invalid. An absent value is shown as '', as in Kubernetes."""
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
        """A fault if there is a text that is not one of these. An absent value is not a fault."""
        if self.text and self.text not in allowed:
            options = ", ".join(f'"{option}"' for option in allowed)
            yield Violation(self.path, f"supported values: {options}", self.value, Reason.NOT_SUPPORTED)

    def one_of_given(self, *allowed: str) -> Iterator[Violation]:
        """Like `one_of`, but an empty text is a fault as well; for fields that Kubernetes does not default."""
        yield from self.one_of_always(*allowed) if isinstance(self.value, str) else ()

    def one_of_always(self, *allowed: str) -> Iterator[Violation]:
        """Like `one_of_given`, but an absent value is a fault as well."""
        if self.text not in allowed:
            options = ", ".join(f'"{option}"' for option in allowed)
            yield Violation(self.path, f"supported values: {options}", self.text, Reason.NOT_SUPPORTED)

    def each(self, messages: Iterable[str]) -> Iterator[Violation]:
        """One fault of reason Invalid for each message."""
        for message in messages:
            yield self.invalid(message)
