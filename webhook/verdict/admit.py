"""Pure admission functions: `mutate` returns defaults as a patch, `validate` returns violations and warnings.

Their inputs are the review, lookups of other objects and the operator's options; they do no I/O.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import msgspec

from shared.model.types import Body
from shared.policy import Embedded
from shared.violation import Reason, Violation
from webhook.defaults.minimums import FOLLOWING
from webhook.envelope.patch import Path, Setting, applied, operations, value_at
from webhook.envelope.review import ALLOWED, AdmissionReview, AdmissionVerdict, Operation
from webhook.policies import judging
from webhook.rules import Rule
from webhook.subject.lookups import Lookups
from webhook.subject.subjects import Subject
from webhook.verdict.admissions import admission_of
from webhook.verdict.claims import with_claim
from webhook.verdict.kind_admission import (
    DEFAULT_OPTIONS,
    AdmissionOptions,
    KindAdmission,
    being_deleted,
    policies_judge,
    unchanged,
)
from webhook.verdict.readable_part import SCHEMA, Faults, faults_of_readable_part
from webhook.verdict.schema_faults import fault_of_model, schema_faults

Allowance = Callable[[], bool]  # returns False once the time limit is reached
MOST_FAULTS: Final = 500


class TooSlow(Exception):
    """Validation exceeded the time limit, which is shorter than the API server's time-out of a webhook."""


def unlimited() -> bool:
    return True


def mutate(review: AdmissionReview, lookups: Lookups, options: AdmissionOptions = DEFAULT_OPTIONS) -> AdmissionVerdict:
    """The patch that sets defaults. It never refuses; an object that does not match the schema gets no patch."""
    subject = changed_subject(review, lookups, options)
    return ALLOWED if subject is None else defaulted(subject, review, lookups, options)


def changed_subject(review: AdmissionReview, lookups: Lookups, options: AdmissionOptions) -> Subject[Any] | None:
    """The object that the review creates or changes, for rules and defaults; None if there is nothing to read: another
    kind, a deletion, an update without changes, or an object that does not match the schema.
    """
    admission = admission_of(review)
    if admission is None or review.object is None or being_deleted(review) or unchanged(admission, review):
        return None
    try:
        return admission.subject(review, review.object, lookups, options)
    except (msgspec.ValidationError, RecursionError):
        return None


def is_unreadable(review: AdmissionReview, subject: Subject[Any] | None) -> bool:
    """Whether `changed_subject` found none because the object does not match the schema."""
    admission = admission_of(review)
    if subject is not None or admission is None or review.object is None:
        return False
    return not (being_deleted(review) or unchanged(admission, review))


def defaulted(
    subject: Subject[Any], review: AdmissionReview, lookups: Lookups, options: AdmissionOptions
) -> AdmissionVerdict:
    """The patch that sets the defaults of `subject`, which is the object of the review."""
    admission = admission_of(review)
    if admission is None or review.object is None:
        return ALLOWED
    settled: Iterable[Setting] = judging.with_policy_defaults(
        review, lookups, admission.defaults(subject, options), crd_defaults=options.volcano_crds, now=options.now
    )
    settled = judging.with_template_defaults(
        review, lookups, settled, crd_defaults=options.volcano_crds, now=options.now
    )
    if review.operation is Operation.UPDATE:
        settled = _as_stored(settled, review.old_object)
    settled = (*settled, *with_claim(review, lookups, options))
    return AdmissionVerdict(patch=operations(review.object, settled))


def validate(
    review: AdmissionReview,
    lookups: Lookups,
    options: AdmissionOptions = DEFAULT_OPTIONS,
    *,
    in_time: Allowance = unlimited,
) -> AdmissionVerdict:
    """All violations and warnings of the object. Raises TooSlow once `in_time` returns False."""
    admission = admission_of(review)
    body = review.old_object if review.operation is Operation.DELETE else review.object
    if admission is None or body is None or being_deleted(review):
        return ALLOWED
    if unchanged(admission, review):
        return _with_policies(ALLOWED, review, lookups, options, in_time)
    try:
        subject = admission.subject(review, body, lookups, options)
    except (msgspec.ValidationError, RecursionError) as error:
        return _broken(admission, review, body, str(error), lookups, options, in_time)
    faults = _judge(subject, admission.active_rules(subject), in_time)
    warned: dict[str, tuple[str, ...]] = {}
    for warner in admission.active_warners(subject):
        if found := tuple(warner(subject)):
            warned[warner.__name__] = (*warned.get(warner.__name__, ()), *found)
    verdict = AdmissionVerdict(
        violations=tuple(violation for found in faults.values() for violation in found),
        warnings=tuple(warning for found in warned.values() for warning in found),
        warned_by=tuple(warned),
        rules=tuple(faults),
        notices=_notices(admission, subject, options),
    )
    if verdict.allowed and (implied := admission.implied(subject, review)) is not None:
        return _as_part(validate(implied, lookups, options, in_time=in_time), implied)
    if not policies_judge(review, lookups, options):
        return verdict
    verdict = _with_policies(verdict, review, lookups, options, in_time)
    return _with_template(review, lookups, options, verdict, in_time)


def policy_verdict(
    review: AdmissionReview, lookups: Lookups, options: AdmissionOptions, in_time: Allowance = unlimited
) -> AdmissionVerdict:
    """What policies alone say of the object and the template in it. Raises TooSlow once `in_time` returns False."""
    if being_deleted(review):
        return ALLOWED
    verdict = _with_policies(ALLOWED, review, lookups, options, in_time)
    return _with_template(review, lookups, options, verdict, in_time)


def _with_policies(
    verdict: AdmissionVerdict,
    review: AdmissionReview,
    lookups: Lookups,
    options: AdmissionOptions,
    in_time: Allowance,
    embedded: Embedded | None = None,
) -> AdmissionVerdict:
    """`verdict` plus what policies say of the object. `embedded`: see `policy_input`. Raises TooSlow."""
    return judging.with_policies(
        review, lookups, verdict, lambda: _check_time(in_time, "policies"), embedded, options.now
    )


def _with_template(
    review: AdmissionReview,
    lookups: Lookups,
    options: AdmissionOptions,
    verdict: AdmissionVerdict,
    in_time: Allowance,
) -> AdmissionVerdict:
    """`verdict` plus what policies say about the template in the object, with the defaults that its objects will get."""
    template = judging.template_review(review)
    if template is None or not judging.compiled_policies(lookups).compiled:
        return verdict
    embedded, inner = template
    inner = msgspec.structs.replace(
        inner,
        object=_as_created(inner, inner.object, lookups, options),
        old_object=_as_created(inner, inner.old_object, lookups, options),
    )
    return _with_policies(verdict, inner, lookups, options, in_time, embedded)


def _as_created(review: AdmissionReview, body: Body | None, lookups: Lookups, options: AdmissionOptions) -> Body | None:
    """The object as it is stored when it is created from a template."""
    if body is None:
        return None
    created = msgspec.structs.replace(review, operation=Operation.CREATE, object=body, old_object=None)
    return applied(body, mutate(created, lookups, options).patch)


def _as_part(verdict: AdmissionVerdict, implied: AdmissionReview) -> AdmissionVerdict:
    """The verdict on a change, rewritten for the object that causes the change."""
    violations = tuple(
        Violation("message", f"{implied.kind.kind} {implied.name} would be refused: {each}", reason=Reason.FORBIDDEN)
        for each in verdict.violations
    )
    return msgspec.structs.replace(verdict, violations=violations)


def _judge(subject: Subject[Any], rules: Iterable[Rule], in_time: Allowance) -> dict[str, list[Violation]]:
    """Violations by the name of the rule that found them, at most MOST_FAULTS in all."""
    faults: dict[str, list[Violation]] = {}
    left = MOST_FAULTS
    for rule in rules:
        found = list(islice(rule(subject), left))
        if found:
            faults.setdefault(rule.__name__, []).extend(found)
            left -= len(found)
        _check_time(in_time, rule.__name__)
        if not left:
            break
    return faults


def _notices(admission: KindAdmission, subject: Subject[Any], options: AdmissionOptions) -> tuple[str, ...]:
    if options.now is None or subject.operation is Operation.DELETE:
        return ()
    return tuple(text for notice in admission.notices for text in notice(subject, options.now))


def _check_time(in_time: Allowance, done: str) -> None:
    if not in_time():
        raise TooSlow(f"stopped after {done}")


def _broken(
    admission: KindAdmission,
    review: AdmissionReview,
    body: Body,
    text: str,
    lookups: Lookups,
    options: AdmissionOptions,
    in_time: Allowance,
) -> AdmissionVerdict:
    """Refuse an object that does not match the schema, with all schema errors and what the rules find in the rest of it.
    Deletion is always allowed.
    """
    if review.operation is Operation.DELETE:
        return ALLOWED

    def judge(part: Body) -> Faults | str:
        seen = msgspec.structs.replace(review, object=part)
        seen = msgspec.structs.replace(seen, object=applied(part, mutate(seen, lookups, options).patch))
        try:
            subject = admission.subject(seen, seen.object or part, lookups, options)
        except msgspec.ValidationError as error:
            return str(error)
        of_policies = policy_verdict(seen, lookups, options, in_time).violations
        rules = _judge(subject, admission.active_rules(subject), in_time)
        return {**rules, "policies": of_policies} if of_policies else rules

    schema = schema_faults(admission.kind, body)
    unread = schema or (fault_of_model(admission.kind, text),)
    more: Faults = {}
    with suppress(TooSlow, RecursionError):
        more = faults_of_readable_part(admission.kind, body, judge)
    known = {violation.path for violation in unread}
    unread += tuple(violation for violation in more.get(SCHEMA, ()) if violation.path not in known)
    known = {violation.path for violation in unread}
    judged = (violation for rule, found in more.items() if rule != SCHEMA for violation in found)
    rest = [violation for violation in judged if violation.path not in known]
    rules = (SCHEMA, *(rule for rule in more if rule != SCHEMA))
    return AdmissionVerdict((*unread, *rest), rules=rules, schema_faults=len(schema))


def _as_stored(settings: Iterable[Setting], old: Body | None) -> Iterable[Setting]:
    """On UPDATE set a default only if the stored object has the field, so that updates do not add new defaults.

    The stored value is kept, except of fields in FOLLOWING, whose default follows other fields.
    """
    stored: dict[Path, object] = {}
    for setting in settings:
        if setting.path[-1] in FOLLOWING:
            yield setting
        elif (found := stored.setdefault(setting.path, value_at(old, setting.path))) is not None:
            yield Setting(setting.path, found)
