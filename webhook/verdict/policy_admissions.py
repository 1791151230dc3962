"""Admission of JobFlowPolicies and JobFlowPolicyExceptions."""

from collections.abc import Iterable
from typing import Final

from shared import kinds
from shared.model.policy import JobFlowPolicySpec
from shared.model.policy_exception import JobFlowPolicyExceptionSpec
from webhook import rules
from webhook.subject.lookups import MissingObject
from webhook.subject.policy_subjects import ExceptionSubject, PolicySubject
from webhook.verdict.kind_admission import KindAdmission, subject_maker


def _policies_of_exception(exception: ExceptionSubject) -> Iterable[MissingObject]:
    for policy in exception.spec.policies:
        yield MissingObject(kinds.JOBFLOWPOLICY, "", policy.name)


JOBFLOWPOLICY: Final = KindAdmission(
    kinds.JOBFLOWPOLICY,
    subject_maker(PolicySubject, JobFlowPolicySpec),
    rules=rules.POLICY_RULES,
    warnings=rules.POLICY_WARNINGS,
)
EXCEPTION: Final = KindAdmission(
    kinds.JOBFLOWPOLICYEXCEPTION,
    subject_maker(ExceptionSubject, JobFlowPolicyExceptionSpec),
    create=rules.EXCEPTION_RULES,
    update=rules.EXCEPTION_UPDATE_RULES,
    missing=_policies_of_exception,
)
