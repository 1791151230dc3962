"""The names of a policy's rules, as refusals, reports and JobFlowPolicyExceptions have them: `limits.maxSteps`, `rules.NAME`."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from shared.model.policy import JobFlowPolicySpec

GROUPS: Final = ("limits", "allowed", "denied", "required")
"""The fields of a policy's spec whose fields are rules."""
SETTINGS: Final = ("limits.countPer", "limits.maxHeldFlows", "limits.maxHeldJobs")
"""Fields that are no rules: they say how quotas count."""


def rule_names(spec: JobFlowPolicySpec) -> Iterator[str]:
    """The name of every rule that the policy has. A group of rules that is added to policies must be listed in GROUPS."""
    fields = msgspec.to_builtins(spec)
    for group in GROUPS:
        names = (f"{group}.{field}" for field, value in (fields.get(group) or {}).items() if _restricts(value))
        yield from (name for name in names if name not in SETTINGS)
    yield from (f"rules.{rule.name}" for rule in spec.rules)


def _restricts(value: Any) -> bool:
    """A limit of 0 restricts; an empty list and a condition that is false do not."""
    return value is not None and value is not False and value != []
