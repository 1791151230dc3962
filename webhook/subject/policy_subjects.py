"""Subjects of policies and of exceptions to them."""

from dataclasses import dataclass

from shared.model.policy import JobFlowPolicySpec
from shared.model.policy_exception import JobFlowPolicyExceptionSpec
from webhook.subject.subjects import Subject


@dataclass(frozen=True)
class PolicySubject(Subject[JobFlowPolicySpec]):
    """A JobFlowPolicy. `dry_run`: nothing will be stored."""

    dry_run: bool = False


@dataclass(frozen=True)
class ExceptionSubject(Subject[JobFlowPolicyExceptionSpec]):
    """A JobFlowPolicyException. `now`: epoch seconds, None if it is unknown."""

    now: float | None = None
