"""Explains what each policy says of one object: whether it applies, which checks pass and fail, what it sets."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import PolicyContext
from shared.policy.defaults import defaults
from shared.policy.exceptions import NO_EXCEPTIONS_GRANTED, Exceptions
from shared.policy.judging.finding import PolicyFinding
from shared.policy.judging.findings import findings
from shared.policy.match import why_not
from shared.policy.rule_names import rule_names


class PolicyExplanation(msgspec.Struct, frozen=True):
    """`not_applied`: why the policy does not apply, '' if it does; `passed`: names of checks without a finding, such as
    `limits.maxSteps`, without quotas if nothing was counted; `excepted`: violations that exceptions allow; `defaults`: the
    fields that the policy would set on creation, as (path, value)."""

    policy: str
    mode: str
    not_applied: str = ""
    passed: tuple[str, ...] = ()
    failed: tuple[PolicyFinding, ...] = ()
    excepted: tuple[PolicyFinding, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()


def explain(
    context: PolicyContext, policies: Iterable[CompiledPolicy], exceptions: Exceptions = NO_EXCEPTIONS_GRANTED
) -> Iterator[PolicyExplanation]:
    """One explanation for each policy, in the given order."""
    for policy in policies:
        if reason := why_not(policy, context):
            yield PolicyExplanation(policy.name, policy.mode, reason)
            continue
        found = tuple(findings(policy, context, exceptions))
        names = {each.rule for each in found}
        uncounted = {quota.rule for quota in policy.quotas if context.census is None}
        yield PolicyExplanation(
            policy.name,
            policy.mode,
            passed=tuple(name for name in rule_names(policy.spec) if name not in names | uncounted),
            failed=tuple(each for each in found if not each.excepted_by),
            excepted=tuple(each for each in found if each.excepted_by),
            defaults=tuple(_set(context, policy)),
        )


def _set(context: PolicyContext, policy: CompiledPolicy) -> Iterator[tuple[str, Any]]:
    """The defaults of the policy. Those of a template are moved to its place."""
    for path, value in defaults(context, (policy,)):
        place = path if context.embedded is None else context.embedded.path(path)
        if place is not None:
            yield _text(place), value


def _text(path: Iterable[str | int]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")
