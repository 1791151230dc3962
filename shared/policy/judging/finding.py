"""One violation of a policy, as it is reported."""

from typing import Any, Final

import msgspec

from shared.model.phases import PolicyMode
from shared.violation import Reason, Violation

_WARNING: Final = 119  # the length that every client shows


class PolicyFinding(msgspec.Struct, frozen=True):
    """A violation of a policy. `superseded`: another policy reports it more strictly, so this one is only counted.

    `excepted_by`: the JobFlowPolicyException that allows it until `excepted_until`, '' if none does; `note`: why an
    exception that is about it has no effect.
    """

    policy: str
    mode: PolicyMode
    rule: str
    path: str
    message: str
    value: Any = None
    reason: Reason = Reason.INVALID
    about: str = ""
    superseded: bool = False
    excepted_by: str = ""
    excepted_until: str = ""
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is reported to users as a violation."""
        return not self.superseded and not self.excepted_by

    @property
    def violation(self) -> Violation:
        where = f'policy "{self.policy}", {self.rule}' + (f"; {self.note}" if self.note else "")
        return Violation(self.path, f"{self.message} ({where})", self.value, self.reason)

    @property
    def warning(self) -> str:
        """One line that clients show completely. If it is too long, the list of allowed values is shortened first."""
        head = f"policy {self.policy} ({self.rule}): {self.path}: "
        text = head + (f'"{self.value}" ' if isinstance(self.value, str) else "") + self.message
        return text if len(text) <= _WARNING else text[: _WARNING - 3] + "..."

    @property
    def excepted_warning(self) -> str:
        """What users are told of a violation that an exception allows."""
        return f'policy {self.policy} ({self.rule}): excepted by "{self.excepted_by}" until {self.excepted_until}'

    def __str__(self) -> str:
        """The text for logs, reports and audit annotations."""
        return f"{self.rule}: {Violation(self.path, self.message, self.value, self.reason)}"
