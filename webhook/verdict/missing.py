"""The objects that are read from the API server before or after a verdict, because the caches lack them. Pure."""

from typing import Any

import msgspec

from shared.kinds import COMMAND
from shared.model.types import Body
from webhook.envelope.review import AdmissionReview
from webhook.policies.missing import missing_templates
from webhook.subject.commanded_flow import flow_to_read
from webhook.subject.lookups import Lookups, MissingObject
from webhook.subject.subjects import Subject
from webhook.verdict.admissions import admission_of
from webhook.verdict.claims import missing_sources
from webhook.verdict.kind_admission import DEFAULT_OPTIONS, AdmissionOptions, KindAdmission
from webhook.verdict.readable_part import readable_part

__all__ = ["flow_of_command", "missing_objects", "missing_sources"]


def missing_objects(
    review: AdmissionReview, lookups: Lookups, options: AdmissionOptions = DEFAULT_OPTIONS
) -> tuple[MissingObject, ...]:
    """Objects that `review` refers to and the lookups do not contain; a refusal may be caused by their absence."""
    admission = admission_of(review)
    if admission is None or review.object is None:
        return ()
    try:
        subject = _subject_to_read(admission, review, review.object, lookups, options)
        wanted = tuple(admission.missing(subject))
        wanted += tuple(missing_templates(review, lookups))
    except (msgspec.ValidationError, RecursionError):
        return ()
    return tuple(item for item in wanted if lookups.get(item.kind, item.namespace, item.name) is None)


def _subject_to_read(
    admission: KindAdmission, review: AdmissionReview, body: Body, lookups: Lookups, options: AdmissionOptions
) -> Subject[Any]:
    """The object, or the part of it that can be read. Raises msgspec.ValidationError if there is none."""
    try:
        return admission.subject(review, body, lookups, options)
    except msgspec.ValidationError:
        return admission.subject(review, readable_part(admission.kind, body), lookups, options)


def flow_of_command(review: AdmissionReview) -> tuple[MissingObject, ...]:
    """The JobFlow to read from the API server before a Command on it is validated, because caches keep only a part of
    it.
    """
    if (review.kind.group, review.kind.kind) != (COMMAND.group, COMMAND.kind) or review.object is None:
        return ()
    return tuple(flow_to_read(review.object, review.namespace))
