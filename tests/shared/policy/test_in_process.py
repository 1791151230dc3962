"""Which rules of a policy the API server enforces: every field is written in CEL, or states why it is not."""

from typing import Any

import msgspec
import pytest

from shared.model.policy import Exempt, InProcessRules, JobFlowPolicySpec, Limits, Match, Required, UsageLists
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler
from shared.policy.in_process import LEFT, NEVER, PARTLY, UNDERSTOOD, WHOLLY, defaulted_fields, in_process

GROUPS: dict[str, Any] = {"limits": Limits, "allowed": UsageLists, "denied": UsageLists, "required": Required}
from shared.policy.rule_names import SETTINGS


def names(model: Any, prefix: str = "") -> set[str]:
    return {prefix + field.encode_name for field in msgspec.structs.fields(model)}


def compiled(*specs: Body) -> tuple[CompiledPolicy, ...]:
    bodies = [{"metadata": {"name": f"p{at}"}, "spec": spec} for at, spec in enumerate(specs)]
    policies = Compiler().compile(bodies).compiled
    assert len(policies) == len(specs)
    return policies


def first_of(*specs: Body) -> InProcessRules:
    policies = compiled(*specs)
    return in_process(policies[0], defaulted_fields(policies))


def reasons(found: InProcessRules) -> dict[str, str]:
    return {each.rule: each.why for each in found.webhook_only}


def test_every_rule_is_written_in_cel_or_states_why_not() -> None:
    """A new field of a policy is left to the webhook until it is listed here; see webhook.inprocess.checks."""
    rules = {name for group, model in GROUPS.items() for name in names(model, f"{group}.")} - {*SETTINGS}
    listed = [*WHOLLY, *PARTLY, *NEVER]
    assert sorted(listed) == sorted(rules)


def test_every_field_that_decides_whether_a_policy_applies_is_understood_or_leaves_the_policy_to_the_webhook() -> None:
    fields = {*names(Match, "match."), *names(Exempt, "exempt."), *names(JobFlowPolicySpec)}
    fields -= {*GROUPS, "match", "exempt"}
    assert sorted([*UNDERSTOOD, *LEFT]) == sorted(fields)


def test_rules_are_listed_by_where_they_are_enforced() -> None:
    found = first_of(
        {
            "limits": {"maxSteps": 0, "maxDepth": 3, "maxRetry": 1},
            "rules": [{"name": "own", "expression": "true"}],
        }
    )
    assert found.rules == ("limits.maxSteps", "limits.maxRetry")
    assert sorted(reasons(found)) == ["limits.maxDepth", "limits.maxRetry", "rules.own"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"exceptions": {"allowedNamespaces": ["*"], "maxDuration": "24h"}}, "JobFlowPolicyExceptions"),
        ({"match": {"objectSelector": {"matchLabels": {"team": "x"}}}, "defaults": {"labels": {"team": "x"}}}, "label"),
    ],
)
def test_a_policy_whose_scope_the_api_server_cannot_tell_is_left_to_the_webhook(spec: Body, why: str) -> None:
    found = first_of({"limits": {"maxSteps": 1}, **spec})
    assert found.rules == ()
    assert why in reasons(found)["*"]


def test_an_absent_field_that_any_policy_sets_is_left_to_the_webhook() -> None:
    strict = {"limits": {"maxActiveDeadlineSeconds": 60}, "required": {"labels": ["team", "env"]}}
    assert reasons(first_of(strict)) == {}
    for defaults in (
        {"activeDeadlineSeconds": 5},
        {"values": [{"field": "activeDeadlineSeconds", "valueExpression": "5"}]},
    ):
        assert list(reasons(first_of(strict, {"defaults": defaults}))) == ["limits.maxActiveDeadlineSeconds"]
    values = {"values": [{"field": "labels", "key": "env", "valueExpression": "'x'"}]}
    assert list(reasons(first_of(strict, {"defaults": values}))) == ["required.labels"]
    assert reasons(first_of(strict, {"defaults": values, "mode": "Audit"})) == {}
