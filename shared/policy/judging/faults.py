"""All faults of one object by one policy, and which of them exceptions allow."""

from collections.abc import Iterator
from typing import Final

import msgspec

from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.compiled.rules import rule_faults
from shared.policy.compiled.variables import values_of
from shared.policy.context import DELETE, PolicyContext
from shared.policy.exceptions import Exceptions
from shared.policy.fault import PolicyFault
from shared.policy.judging.allowed import allowed_faults, denied_faults
from shared.policy.judging.limits import limit_faults
from shared.policy.judging.quotas import quota_faults
from shared.policy.judging.required import required_faults

MOST: Final = 100  # the most findings of one policy about one object that are reported


class FaultsFound(msgspec.Struct, frozen=True):
    """The faults that count, and those that exceptions allow."""

    counted: tuple[PolicyFault, ...] = ()
    excepted: tuple[PolicyFault, ...] = ()


def faults_found(
    policy: CompiledPolicy, context: PolicyContext, exceptions: Exceptions, most: int | None
) -> FaultsFound:
    """All faults, at most `most` of each sort, so that many excepted ones do not displace others."""
    counted: list[PolicyFault] = []
    excepted: list[PolicyFault] = []
    known: dict[str, bool] = {}
    for fault in _faults(policy, context):
        if fault.rule not in known:
            known[fault.rule] = exceptions.allowing(policy, fault.rule, context) is not None
        kept = excepted if known[fault.rule] else counted
        if most is None or len(kept) < most:
            kept.append(fault)
        elif kept is counted:
            break
    return FaultsFound(tuple(counted), tuple(excepted))


def _faults(policy: CompiledPolicy, context: PolicyContext) -> Iterator[PolicyFault]:
    spec = policy.spec
    if context.operation == DELETE:
        yield from rule_faults(policy.rules, values_of(policy.variables, context), context)
        return
    if spec.limits is not None:
        yield from limit_faults(spec.limits, context)
    yield from quota_faults(policy, context)
    yield from allowed_faults(policy.allowed, context)
    yield from denied_faults(policy.denied, context)
    yield from required_faults(policy, context)
    if policy.rules:
        yield from rule_faults(policy.rules, values_of(policy.variables, context), context)
