"""One fault of an object by the rules of one policy."""

from typing import Any

import msgspec

from shared.violation import Reason


class PolicyFault(msgspec.Struct, frozen=True):
    """`rule`: `limits.maxSteps` or `rules.NAME`; `path`: the field; `message`: without policy and rule.

    `about`: faults with equal `about` are reported as one violation, even if they come from different policies.
    """

    rule: str
    path: str
    message: str
    value: Any = None
    reason: Reason = Reason.INVALID
    about: str = ""
