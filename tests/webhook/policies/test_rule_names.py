"""Every rule of a policy has the name that refusals show and that exceptions name."""

from typing import Any

import msgspec
import pytest

from shared.model.policy import JobFlowPolicySpec
from shared.policy.rule_names import rule_names
from tests.webhook.policies.fields import FIELDS


def spec(**given: Any) -> JobFlowPolicySpec:
    return msgspec.convert(given, JobFlowPolicySpec)


@pytest.mark.parametrize("rule", FIELDS)
def test_every_rule_that_can_refuse_is_named(rule: str) -> None:
    assert rule in rule_names(spec(**FIELDS[rule][0]))


def test_a_limit_of_zero_restricts_and_empty_fields_do_not() -> None:
    given = spec(
        limits={"maxRetry": 0},
        allowed={"queues": [], "images": ["a"]},
        required={"existingTemplates": False, "imageDigests": True},
        rules=[{"name": "never", "expression": "false"}],
    )
    assert list(rule_names(given)) == ["limits.maxRetry", "allowed.images", "required.imageDigests", "rules.never"]
