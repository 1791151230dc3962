"""The names of a policy's rules, as refusals, reports and JobFlowPolicyExceptions have them: `limits.maxSteps`, `rules.NAME`."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from shared.model.policy import JobFlowPolicySpec

_GROUPS: Final = ("limits", "allowed", "denied", "required")


def rule_names(spec: JobFlowPolicySpec) -> Iterator[str]:
    """The name of every rule that the policy has. A group of rules that is added to policies must be listed in _GROUPS."""
    fields = msgspec.to_builtins(spec)
    for group in _GROUPS:
        yield from (f"{group}.{field}" for field, value in (fields.get(group) or {}).items() if _restricts(value))
    yield from (f"rules.{rule.name}" for rule in spec.rules)


def allows_exceptions(spec: JobFlowPolicySpec) -> bool:
    """Whether JobFlowPolicyExceptions can have effect on the policy.

    Such a policy is decided by the webhook only: a ValidatingAdmissionPolicy cannot see exceptions and would refuse what
    they allow. As a condition on `params`: NO_EXCEPTIONS.
    """
    return spec.exceptions is not None


NO_EXCEPTIONS: Final = "!has(params.spec.exceptions)"
"""CEL: true for the policies that a ValidatingAdmissionPolicy with them as `params` may enforce."""


def _restricts(value: Any) -> bool:
    """A limit of 0 restricts; an empty list and a condition that is false do not."""
    return value is not None and value is not False and value != []
