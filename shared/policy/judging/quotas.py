"""`limits.maxActiveFlows`, `limits.maxActiveJobs`: how many objects of a group may be active at the same time.

Judged when an object would become active: on creation, when it is resumed, and when its labels move it to another group.
The controller holds what was admitted beyond the quota, for example by two admissions at the same moment.
"""

from collections.abc import Iterator
from functools import partial

from shared.kinds import JOB
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import UPDATE, PolicyContext
from shared.policy.fault import PolicyFault
from shared.policy.match import covers
from shared.policy.quota.counted import COUNTED, CountedKind
from shared.policy.quota.quota import Quota
from shared.violation import Reason


def quota_faults(policy: CompiledPolicy, context: PolicyContext) -> Iterator[PolicyFault]:
    """The quotas of the policy that are used up."""
    counted = COUNTED.get(context.kind)
    if counted is None or context.census is None or counted.rests(context.body) or _always_admitted(context):
        return
    for quota in policy.quotas:
        if quota.kind != context.kind or not _becomes_active(quota, counted, context):
            continue
        ahead = context.census.ahead(quota, context, partial(covers, policy, quota.kind))
        if ahead >= quota.most + quota.held:
            yield _fault(quota, context, ahead)


def _always_admitted(context: PolicyContext) -> bool:
    """Whether the object is a Job of a flow, which would fail without it. The controller holds it, also where somebody
    else has written the owner reference."""
    return context.kind == JOB and context.of_a_flow


def _becomes_active(quota: Quota, counted: CountedKind, context: PolicyContext) -> bool:
    if context.operation != UPDATE or counted.rests(context.old or {}):
        return True
    labels = context.namespace_labels
    return quota.group("", context.labels, labels) != quota.group("", context.old_labels, labels)


def _fault(quota: Quota, context: PolicyContext, ahead: int) -> PolicyFault:
    group = quota.group(context.namespace, context.labels, context.namespace_labels)
    some = quota.kind.kind if ahead == 1 else f"{quota.kind.kind}s"
    held = f" and {quota.held} may wait" if quota.held else ""
    message = (
        f"{group} has {ahead} active {some}, at most {quota.most} may run at once{held}: wait until one has ended, or "
        "apply this one with suspend: true"
    )
    return PolicyFault(quota.rule, "spec.suspend", message, None, Reason.FORBIDDEN)
