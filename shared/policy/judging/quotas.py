"""`limits.maxActiveFlows`: how many objects of a group may be active at the same time.

Judged when an object would become active: on creation, when it is resumed, and when its labels move it to another group.
The controller holds what was admitted beyond the quota, for example by two admissions at the same moment.
"""

from collections.abc import Iterator
from functools import partial

from shared.podtemplate.field import Field
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import UPDATE, PolicyContext
from shared.policy.fault import PolicyFault
from shared.policy.match import covers
from shared.policy.quota.quota import Quota
from shared.violation import Reason


def quota_faults(policy: CompiledPolicy, context: PolicyContext) -> Iterator[PolicyFault]:
    """The quotas of the policy that are used up."""
    if context.census is None or not context.is_flow or context.spec.get("suspend").true:
        return
    for quota in policy.quotas:
        if not _becomes_active(quota, context):
            continue
        ahead = context.census.ahead(quota, context, partial(covers, policy, quota.kind))
        if ahead >= quota.most + quota.held:
            yield _fault(quota, context, ahead)


def _becomes_active(quota: Quota, context: PolicyContext) -> bool:
    if context.operation != UPDATE:
        return True
    if Field("spec", (context.old or {}).get("spec")).get("suspend").true:
        return True
    labels = context.namespace_labels
    return quota.group("", context.labels, labels) != quota.group("", context.old_labels, labels)


def _fault(quota: Quota, context: PolicyContext, ahead: int) -> PolicyFault:
    group = quota.group(context.namespace, context.labels, context.namespace_labels)
    some = "JobFlow" if ahead == 1 else "JobFlows"
    held = f" and {quota.held} may wait" if quota.held else ""
    message = (
        f"{group} has {ahead} active {some}, at most {quota.most} may run at once{held}: wait until one has ended, or "
        "apply this one with suspend: true"
    )
    return PolicyFault(quota.rule, "spec.suspend", message, None, Reason.FORBIDDEN)
