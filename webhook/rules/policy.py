"""A JobFlowPolicy can work: its expressions compile, its patterns and selectors are ones (jobflow-api.md 9)."""

from collections.abc import Iterator

from shared.policy.check import policy_faults
from shared.violation import Violation
from webhook.subject.subjects import PolicySubject


def policy_can_work(policy: PolicySubject) -> Iterator[Violation]:
    yield from policy_faults(policy.spec)
