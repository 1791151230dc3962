"""The faults of a graph that the API server's own policies refuse, as the mutating webhooks see them.

A policy of the chart (webhook/structure) ends a request before validating webhooks are asked, and its sentences have
neither paths nor hints. Mutating webhooks come before policies; so they refuse these faults, with the whole verdict.
"""

import msgspec

from webhook.envelope.patch import applied
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, Operation
from webhook.subject.lookups import Lookups
from webhook.verdict.admissions import admission_of
from webhook.verdict.kind_admission import AdmissionOptions, being_deleted, unchanged


def has_broken_structure(review: AdmissionReview, lookups: Lookups, options: AdmissionOptions) -> bool:
    """Whether one of the rules that the policies share finds a fault."""
    admission = admission_of(review)
    if admission is None or not admission.structure or review.object is None:
        return False
    if being_deleted(review) or unchanged(admission, review):
        return False
    try:
        subject = admission.subject(review, review.object, lookups, options)
    except (msgspec.ValidationError, RecursionError):
        return False
    rules = admission.create if review.operation is Operation.CREATE else admission.update
    return any(next(iter(rule(subject)), None) is not None for rule in rules if rule in admission.structure)


def with_defaults(review: AdmissionReview, verdict: AdmissionVerdict) -> AdmissionReview:
    """The review as the validating webhook would get it: with the patch of `verdict`."""
    if review.object is None or not verdict.patch:
        return review
    return msgspec.structs.replace(review, object=applied(review.object, verdict.patch))
