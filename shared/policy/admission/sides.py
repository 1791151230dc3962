"""The new and the stored object, as expressions of ValidatingAdmissionPolicies read them."""

from typing import Final, NamedTuple

Variable = tuple[str, str]
"""Name and expression."""


class ObjectSide(NamedTuple):
    """`suffix` of the variables; `object`: CEL of the object that they are about."""

    suffix: str
    object: str

    def name(self, value: str) -> str:
        return value + self.suffix

    def of(self, name: str) -> str:
        """CEL that reads the variable of this side."""
        return f"variables.{name}{self.suffix}"


NEW: Final = ObjectSide("New", "dyn(object)")
OLD: Final = ObjectSide("Old", "dyn(oldObject)")
SIDES: Final = (NEW, OLD)

KIND: Final = "request.kind.kind"
CREATES: Final = "request.operation == 'CREATE'"
