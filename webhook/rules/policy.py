"""Expressions, patterns and selectors of a JobFlowPolicy are valid (docs/design/jobflow-api.md, section 9)."""

from collections.abc import Iterator

from shared.policy.compiled.check import policy_faults
from shared.violation import Violation
from webhook.subject.policy_subjects import PolicySubject


def policy_can_work(policy: PolicySubject) -> Iterator[Violation]:
    yield from policy_faults(policy.spec)
