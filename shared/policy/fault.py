"""What one policy has against one object."""

from typing import Any

import msgspec

from shared.violation import Reason


class PolicyFault(msgspec.Struct, frozen=True):
    """`rule`: `limits.maxSteps` or `rules.NAME`; `path`: the field; `message`: without policy and rule.

    `about`: two faults about the same thing are one violation to the reader, whatever policies they come from.
    """

    rule: str
    path: str
    message: str
    value: Any = None
    reason: Reason = Reason.INVALID
    about: str = ""
