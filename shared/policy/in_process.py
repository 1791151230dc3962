"""Which checks of a JobFlowPolicy the API server itself makes, by the chart's ValidatingAdmissionPolicies.

The CEL of those policies (webhook.inprocess) reads the result from `status.inProcess`, so it never judges what is not
listed here. A check may be in both lists: the API server then judges a part of what the webhook judges. Nothing may be
listed that would refuse an object which the webhook accepts.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.model.phases import PolicyMode
from shared.model.policy import DefaultField, InProcessRules, LeftToWebhook
from shared.model.types import Body
from shared.policy.admission.own_rules import OWN_PARTLY, why_left
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.quota.quota import QUOTA_RULES
from shared.policy.rule_names import GROUPS, rule_names
from shared.policy.selector import selector_keys

EVERYTHING: Final = "*"
"""Stands for all checks of a policy."""

_USAGES: Final = (
    *("queues", "schedulerNames", "priorityClassNames", "plugins", "serviceAccounts"),
    *("images", "registries", "imageTags"),
)
_UNKNOWN: Final = "is judged by the webhook only"
_LOOKUP: Final = "needs other objects"
_NESTED: Final = "needs the flows within flows"
WHOLLY: Final = frozenset(
    {
        "limits.maxSteps",
        "limits.maxReplicas",
        "limits.maxActiveDeadlineSeconds",
        "limits.maxTtlSecondsAfterFinished",
        "required.resourceRequests",
        "required.resourceLimits",
        "required.labels",
        "required.imageDigests",
        *(f"{group}.{field}" for group in ("allowed", "denied") for field in _USAGES),
    }
)
"""The checks that the API server makes like the webhook."""
PARTLY: Final[Mapping[str, str]] = {
    "limits.maxParallelism": "the webhook also counts the Jobs of loops",
    "limits.maxRetry": "the webhook sets an absent maxRetry",
}
"""The checks of which the API server makes a part, and what is left to the webhook."""
NEVER: Final[Mapping[str, str]] = {
    "limits.maxDepth": "needs the longest path of a graph",
    **dict.fromkeys(QUOTA_RULES, _LOOKUP),
    "allowed.resourceKinds": _NESTED,
    "denied.resourceKinds": _NESTED,
    "required.labelValues": "patterns of values are compared by the webhook",
    "required.existingTemplates": _LOOKUP,
}
"""The checks that only the webhook makes, and why."""
UNDERSTOOD: Final = frozenset(
    {
        *("match.kinds", "match.namespaceSelector", "match.objectSelector"),
        *("exempt.usernames", "exempt.groups", "exempt.namespaces"),
        *("mode", "severity", "defaults", "approvals", "variables", "rules"),
    }
)
"""The fields that decide whether a policy applies and that the API server reads, and those that are no checks."""
LEFT: Final[Mapping[str, str]] = {
    "exceptions": "the API server does not see JobFlowPolicyExceptions",
    "validity": "the API server's expressions cannot read the time",
    "match.operations": "deletions are guarded by the webhook only, so that none hangs without it",
    "match.users": _UNKNOWN,
}
"""The fields with which the whole policy is left to the webhook, and why. So are fields that are listed nowhere."""

_OWN: Final = "rules."
_ABSENT: Final = "the webhook sets it where it is absent"
_RULES: Final = "CEL of its own: inProcess.rules is off"
_DEFAULTED: Final[Mapping[str, DefaultField]] = {
    "limits.maxActiveDeadlineSeconds": DefaultField.ACTIVE_DEADLINE_SECONDS,
    "limits.maxTtlSecondsAfterFinished": DefaultField.TTL_SECONDS_AFTER_FINISHED,
}


class DefaultedFields(msgspec.Struct, frozen=True):
    """What the policies of a cluster set where it is absent. `fields`: names of fields, `labels`: keys of labels.

    While the webhook is down nothing is set, so the API server must not refuse the absence of what would be set.
    """

    fields: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()


def defaulted_fields(policies: Iterable[CompiledPolicy]) -> DefaultedFields:
    """What any of these policies sets, for whichever objects."""
    fields: set[str] = set()
    labels: set[str] = set()
    for policy in policies:
        wanted = policy.spec.defaults
        if wanted is None or policy.mode is PolicyMode.AUDIT:
            continue
        fields |= {name for name, value in msgspec.to_builtins(wanted).items() if value not in (None, "")}
        fields |= {each.field.value for each in wanted.values}
        labels |= {*wanted.labels, *(each.key for each in wanted.values if each.field is DefaultField.LABELS)}
    return DefaultedFields(frozenset(fields), frozenset(labels))


def in_process(policy: CompiledPolicy, defaulted: DefaultedFields, *, own: bool = False) -> InProcessRules:
    """What the API server checks of the policy. `defaulted`: what the policies of the cluster set; `own`: the controller
    makes a ValidatingAdmissionPolicy of `rules`.
    """
    if reasons := tuple(_left(policy, defaulted)):
        return InProcessRules(webhook_only=reasons)
    names = tuple(check for check in rule_names(policy.spec) if not check.startswith(_OWN))
    only = [LeftToWebhook(rule=name, why=why) for name in names if (why := _why(name, policy, defaulted))]
    rules = [name for name in names if name in PARTLY or name in WHOLLY]
    for rule in policy.rules:
        why = why_left(rule, policy, defaulted.fields) if own else _RULES
        only.append(LeftToWebhook(rule=_OWN + rule.name, why=why or OWN_PARTLY))
        rules += [] if why else [_OWN + rule.name]
    return InProcessRules(rules=tuple(rules), webhook_only=tuple(only))


def without_own(rules: InProcessRules, why: str) -> InProcessRules:
    """The same, with all `rules` of the policy left to the webhook. `why`: the reason for those that were not."""
    kept = tuple(name for name in rules.rules if not name.startswith(_OWN))
    only = (
        LeftToWebhook(rule=each.rule, why=why) if each.rule.startswith(_OWN) and each.rule in rules.rules else each
        for each in rules.webhook_only
    )
    return InProcessRules(rules=kept, webhook_only=tuple(only))


def status_of(rules: InProcessRules, generation: int | None) -> Body:
    """`status.inProcess`. The list of rules is also written if it is empty: the CEL reads it."""
    only = [{"rule": each.rule, "why": each.why} for each in rules.webhook_only]
    status: Body = {"rules": list(rules.rules), "observedGeneration": generation}
    return {**status, "webhookOnly": only} if only else status


def _left(policy: CompiledPolicy, defaulted: DefaultedFields) -> Iterator[LeftToWebhook]:
    """Why the API server cannot tell to what the policy applies."""
    for field in _fields(msgspec.to_builtins(policy.spec)):
        if field not in UNDERSTOOD:
            yield LeftToWebhook(rule=EVERYTHING, why=f"spec.{field}: {LEFT.get(field, _UNKNOWN)}")
    selector = policy.spec.match.object_selector if policy.spec.match else None
    if defaulted.labels & selector_keys(selector):
        yield LeftToWebhook(rule=EVERYTHING, why="spec.match.objectSelector: selects by a label that the webhook sets")


def _fields(spec: Mapping[str, Any]) -> Iterator[str]:
    """The fields that are set, without those that are rules."""
    for name, value in spec.items():
        if name in ("match", "exempt"):
            yield from (f"{name}.{field}" for field in value)
        elif name not in GROUPS:
            yield name


def _why(name: str, policy: CompiledPolicy, defaulted: DefaultedFields) -> str:
    if name in WHOLLY:
        return _ABSENT if _is_set(name, policy, defaulted) else ""
    return PARTLY.get(name) or NEVER.get(name) or _UNKNOWN


def _is_set(name: str, policy: CompiledPolicy, defaulted: DefaultedFields) -> bool:
    """Whether the webhook sets what the check requires."""
    if name == "required.labels" and policy.spec.required is not None:
        return bool(defaulted.labels.intersection(policy.spec.required.labels))
    return name in _DEFAULTED and _DEFAULTED[name].value in defaulted.fields
