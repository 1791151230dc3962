"""Violations: what is wrong with a field of an object, in the form of Kubernetes' own field errors.

Webhook, controller and CLI report faults in this form, so that users see the same messages everywhere.
"""

from enum import StrEnum
from typing import Any

import msgspec


class Reason(StrEnum):
    """Cause types of a Kubernetes Status (metav1.CauseType), as in `details.causes[].reason`."""

    INVALID = "FieldValueInvalid"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    NOT_FOUND = "FieldValueNotFound"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"


_TITLES = {
    Reason.INVALID: "Invalid value",
    Reason.REQUIRED: "Required value",
    Reason.DUPLICATE: "Duplicate value",
    Reason.NOT_FOUND: "Not found",
    Reason.NOT_SUPPORTED: "Unsupported value",
    Reason.FORBIDDEN: "Forbidden",
    Reason.TOO_LONG: "Too long",
    Reason.TOO_MANY: "Too many",
}
_WITHOUT_VALUE = {Reason.REQUIRED, Reason.FORBIDDEN, Reason.TOO_LONG, Reason.TOO_MANY}
_SHOWN = 120  # the longest part of a value that an error shows, in characters


class Violation(msgspec.Struct, frozen=True):
    """One fault of one field.

    `path`: `spec.flows[3].dependsOn.targets[0]`; `message`: what is wrong and what to do; `value`: the offending value
    (any JSON), shown for the reasons that Kubernetes shows it for; `passing`: the same object may be accepted later, because
    the fault is the state of another object.
    """

    path: str
    message: str
    value: Any = None
    reason: Reason = Reason.INVALID
    passing: bool = False

    @property
    def text(self) -> str:
        """The message of a Status cause, without the path: `Invalid value: "x": no step named "x"`."""
        title = _TITLES[self.reason]
        if self.value is None or self.reason in _WITHOUT_VALUE:
            return f"{title}: {self.message}" if self.message else title
        return f"{title}: {_show(self.value)}: {self.message}" if self.message else f"{title}: {_show(self.value)}"

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def _show(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
