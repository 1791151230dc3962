"""Every field of a JobFlowPolicy in every mode."""

import pytest

from tests.webhook.make import (
    review,
)
from tests.webhook.policies.fields import FIELDS
from tests.webhook.policies.make import (
    AROUND,
    judged,
    policy,
)
from webhook.envelope.review import answer


@pytest.mark.parametrize("rule", FIELDS)
def test_enforce_refuses_and_names_policy_rule_and_field(rule: str) -> None:
    spec, bad, good, path = FIELDS[rule]
    refused = judged(bad, *AROUND, policy(**spec))
    assert [each.path for each in refused.violations] == [path]
    assert f'(policy "house", {rule})' in refused.violations[0].message
    assert refused.audit["house"].startswith(f"Enforce {rule}: {path}: ")
    assert judged(good, *AROUND, policy(**spec)).policies == ()


@pytest.mark.parametrize("rule", FIELDS)
def test_warn_mode_allows_with_one_short_warning(rule: str) -> None:
    spec, bad, good, path = FIELDS[rule]
    allowed = judged(bad, *AROUND, policy(mode="Warn", **spec))
    assert allowed.allowed
    reported = [warning for warning in allowed.warnings if warning.startswith(f"policy house ({rule}): {path}: ")]
    assert len(reported) == 1
    assert len(reported[0]) < 120
    assert allowed.audit["house"].startswith(f"Warn {rule}: ")
    assert judged(good, *AROUND, policy(mode="Warn", **spec)).policies == ()


@pytest.mark.parametrize("rule", FIELDS)
def test_audit_mode_allows_without_warning_and_adds_an_audit_annotation(rule: str) -> None:
    spec, bad, good, path = FIELDS[rule]
    without, allowed = judged(bad, *AROUND), judged(bad, *AROUND, policy(mode="Audit", **spec))
    assert (allowed.violations, allowed.warnings) == (without.violations, without.warnings)
    assert allowed.audit["house"].startswith(f"Audit {rule}: {path}: ")
    assert b'"auditAnnotations":{"house":"Audit ' in answer(review(bad), allowed)
    assert [(each.policy, each.mode, each.rule) for each in allowed.policies] == [("house", "Audit", rule)]
    assert judged(good, *AROUND, policy(mode="Audit", **spec)).audit == {}
