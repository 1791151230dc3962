"""The faults that the API server's own policies and the formats of its schemas refuse, as the mutating webhooks see them.

A policy of the chart (webhook.structure, webhook.inprocess), or a schema, refuses a request before validating webhooks are
called, and its messages have no hints and hide other faults. Mutating webhooks come before policies; so they refuse these faults,
with the whole verdict.
"""

from typing import Any

import msgspec

from shared.model.phases import PolicyMode
from shared.policy.in_process import defaulted_fields, in_process
from webhook.envelope.patch import applied
from webhook.envelope.review import AdmissionReview, AdmissionVerdict
from webhook.policies.judging import compiled_policies
from webhook.subject.lookups import Lookups
from webhook.subject.subjects import Subject
from webhook.verdict.admissions import admission_of
from webhook.verdict.admit import Allowance, policy_verdict
from webhook.verdict.kind_admission import AdmissionOptions


def has_broken_structure(review: AdmissionReview, subject: Subject[Any] | None) -> bool:
    """Whether one of the rules that the policies share finds a fault in `subject`, the object of the review."""
    admission = admission_of(review)
    if admission is None or subject is None:
        return False
    return any(next(iter(rule(subject)), None) is not None for rule in admission.structural(review.operation))


def violates_in_process(
    review: AdmissionReview, defaults: AdmissionVerdict, lookups: Lookups, options: AdmissionOptions, in_time: Allowance
) -> bool:
    """Whether a JobFlowPolicy refuses the object with its `defaults` by a rule that the API server enforces, too."""
    if not options.in_process_policies or not (enforced := _enforced_in_process(lookups, options)):
        return False
    found = policy_verdict(with_defaults(review, defaults), lookups, options, in_time).policies
    return any((each.policy, each.rule) in enforced for each in found)


def with_defaults(review: AdmissionReview, verdict: AdmissionVerdict) -> AdmissionReview:
    """The review as the validating webhook would get it: with the patch of `verdict`."""
    if review.object is None or not verdict.patch:
        return review
    return msgspec.structs.replace(review, object=applied(review.object, verdict.patch))


def _enforced_in_process(lookups: Lookups, options: AdmissionOptions) -> frozenset[tuple[str, str]]:
    """(policy, rule) of what the API server enforces itself, where the chart's policies for that are installed."""
    policies = compiled_policies(lookups).compiled
    defaulted = defaulted_fields(policies)
    enforced = (policy for policy in policies if policy.mode is PolicyMode.ENFORCE)
    own = options.in_process_rules
    return frozenset(
        (policy.name, rule) for policy in enforced for rule in in_process(policy, defaulted, own=own).rules
    )
