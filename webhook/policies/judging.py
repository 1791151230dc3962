"""JobFlowPolicies at admission: builds the input of shared.policy from a review and lookups, and adds its findings to the
verdict and its defaults to the patch."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from shared import kinds
from shared.kinds import JOB, JOBTEMPLATE, Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.naming import label_value
from shared.policy import (
    EMBEDDED,
    JUDGED,
    Compiler,
    Embedded,
    Policies,
    PolicyContext,
    PolicyFinding,
    defaults,
    judge,
    request_variable,
)
from shared.policy.census import AdmissionCensus
from shared.policy.judging.not_judged import not_judged
from webhook.envelope.patch import Setting
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, GroupKind, Operation
from webhook.policies import kept_defaults
from webhook.policies.exceptions import exception_warnings, exceptions_of
from webhook.subject.lookups import Lookups
from webhook.subject.subjects import body_or_empty

JUDGED_KINDS: Final = {(kind.group, kind.kind): kind for kind in JUDGED}
"""The kinds that policies judge, by group and kind."""
_COMPILER: Final = Compiler()
_WARNINGS: Final = 20  # maximum number of warnings of one response; the others are counted
_AUDITED: Final = 10  # maximum number of findings of one audit annotation; the others are counted
# Fields of a Job that are immutable: if the manifest leaves them to the policy, an update restores the stored value.
_FROZEN: Final = ("queue", "schedulerName", "ttlSecondsAfterFinished", "maxRetry", "tasks")


def compiled_policies(lookups: Lookups) -> Policies:
    """The compiled policies of the cluster. Each version of a policy is compiled once."""
    return _COMPILER.compile(lookups.all(kinds.JOBFLOWPOLICY))


def policy_input(
    review: AdmissionReview,
    lookups: Lookups,
    *,
    crd_defaults: bool = False,
    embedded: Embedded | None = None,
    now: float | None = None,
) -> PolicyContext | None:
    """The input of policies; None for kinds that policies do not cover. Of a deletion it is the stored object.

    `embedded`: the review is of a template (see `template_review`), not of an object of its own.
    """
    kind = JUDGED_KINDS.get((review.kind.group, review.kind.kind))
    body = review.old_object if review.operation is Operation.DELETE else review.object
    if kind is None or body is None:
        return None
    namespace = review.namespace or str(body_or_empty(body.get("metadata")).get("namespace") or "")
    exists = (lambda template: lookups.get(JOBTEMPLATE, namespace, template) is not None) if lookups.complete else None
    return PolicyContext(
        kind=kind,
        body=body,
        namespace=namespace,
        operation=review.operation.value,
        old=review.old_object,
        username=review.user_info.username,
        groups=review.user_info.groups,
        request=_request(review, kind) if lookups.complete else None,
        namespace_body=lookups.get(kinds.NAMESPACE, "", namespace),
        template_exists=exists,
        census=None if embedded else _census(lookups),
        crd_defaults=crd_defaults,
        offline=not lookups.complete,
        embedded=embedded,
        now=now,
    )


def template_review(review: AdmissionReview) -> tuple[Embedded, AdmissionReview] | None:
    """The review of the Job or JobFlow that the reviewed object contains as a template, if it contains one."""
    embedded = EMBEDDED.get((review.kind.group, review.kind.kind))
    body = embedded.body(review.object) if embedded and not review.sub_resource else None
    if embedded is None or body is None:
        return None
    kind = GroupKind(embedded.kind.group, embedded.kind.version, embedded.kind.kind)
    return embedded, msgspec.structs.replace(
        review, kind=kind, object=body, old_object=embedded.body(review.old_object)
    )


def with_policies(
    review: AdmissionReview,
    lookups: Lookups,
    verdict: AdmissionVerdict,
    between: Callable[[], object] = lambda: None,
    embedded: Embedded | None = None,
    now: float | None = None,
) -> AdmissionVerdict:
    """`verdict` plus the violations, warnings and audit annotations of policies.

    `between` is called between policies and may raise to stop the evaluation. `embedded`: see `policy_input`. `now`: epoch
    seconds; None: exceptions have no effect, and policies are in force at all times.
    """
    policies, given = compiled_policies(lookups).compiled, None
    if policies:
        given = policy_input(review, lookups, embedded=embedded, now=now)
    if given is None:
        return verdict
    found = judge(given, policies, between, exceptions_of(lookups, now))
    shown = [each for each in found if each.counts]
    refused = [each for each in shown if each.mode is PolicyMode.ENFORCE]
    warnings = (*_warnings([each for each in shown if each.mode is PolicyMode.WARN]), *exception_warnings(found))
    return msgspec.structs.replace(
        verdict,
        violations=(*verdict.violations, *(each.violation for each in refused)),
        warnings=(*verdict.warnings, *warnings),
        policy_warnings=verdict.policy_warnings + len(warnings),
        audit=verdict.audit | _audit(found),
        rules=(*verdict.rules, *dict.fromkeys(f"policy.{each.rule.partition('.')[0]}" for each in refused)),
        policies=(*verdict.policies, *found),
    )


def checks_not_judged(review: AdmissionReview, lookups: Lookups) -> tuple[str, ...]:
    """The checks that need a cluster, with the reason; for `jobflow lint`."""
    policies = compiled_policies(lookups).compiled
    template = template_review(review)
    embedded, review = template or (None, review)
    given = policy_input(review, lookups, embedded=embedded) if policies else None
    return () if given is None else tuple(not_judged(given, policies))


def with_policy_defaults(
    review: AdmissionReview,
    lookups: Lookups,
    own: Iterable[Setting],
    *,
    crd_defaults: bool = False,
    now: float | None = None,
) -> list[Setting]:
    """The defaults of policies, then the webhook's `own` defaults for fields that no policy sets."""
    policies, given = compiled_policies(lookups).compiled, None
    if policies or review.operation is Operation.UPDATE:
        given = policy_input(review, lookups, crd_defaults=crd_defaults, now=now)
    if given is None:
        return list(own)
    wanted = {path: Setting(path, value) for path, value in defaults(given, policies)}
    if not given.creating:
        wanted = {path: each for path, each in wanted.items() if given.kind is JOB and path[1] in _FROZEN}
    if given.kind is JOB:
        more = kept_defaults.mark(wanted) if given.creating else kept_defaults.kept(given)
        wanted |= {each.path: each for each in more}
    return [*wanted.values(), *(each for each in own if each.path not in wanted)]


def with_template_defaults(
    review: AdmissionReview,
    lookups: Lookups,
    own: Iterable[Setting],
    *,
    crd_defaults: bool = False,
    now: float | None = None,
) -> list[Setting]:
    """`own` plus the defaults of policies for the template in the reviewed object, on its creation."""
    template = template_review(review) if review.operation is Operation.CREATE else None
    policies = compiled_policies(lookups).compiled if template else ()
    settings = list(own)
    if template is None or not policies:
        return settings
    embedded, inner = template
    given = policy_input(inner, lookups, crd_defaults=crd_defaults, embedded=embedded, now=now)
    for path, value in defaults(given, policies) if given else ():
        if (place := embedded.path(path)) is not None:
            settings.append(Setting(place, value))
    return settings


def _census(lookups: Lookups) -> AdmissionCensus:
    return AdmissionCensus(
        objects=lookups.all,
        namespace=lambda name: lookups.get(kinds.NAMESPACE, "", name),
        find=lookups.get,
    )


def _warnings(found: list[PolicyFinding]) -> Iterator[str]:
    yield from (each.warning for each in found[:_WARNINGS])
    if len(found) > _WARNINGS:
        yield f"{len(found) - _WARNINGS} more violations of policies"


def _audit(found: tuple[PolicyFinding, ...]) -> dict[str, str]:
    """One annotation per violated policy: `Audit limits.maxSteps: spec.flows: Too many: ...`.

    The API server drops annotations whose key is longer than 63 characters, so long policy names are shortened.
    """
    lines: dict[str, list[str]] = {}
    for each in found:
        excepted = f'excepted by "{each.excepted_by}": ' if each.excepted_by else ""
        lines.setdefault(each.policy, []).append(f"{each.mode} {excepted}{each}")
    return {label_value(policy): "; ".join(_first(texts)) for policy, texts in lines.items()}


def _first(texts: list[str]) -> list[str]:
    more = len(texts) - _AUDITED
    return [*texts[:_AUDITED], f"and {more} more"] if more > 0 else texts


def _request(review: AdmissionReview, kind: Kind) -> Body:
    """The variable `request` of CEL rules, with the field names of admission.k8s.io/v1."""
    user = review.user_info
    return request_variable(
        kind,
        operation=review.operation.value,
        name=review.name,
        namespace=review.namespace,
        user={
            "username": user.username,
            "groups": list(user.groups),
            "extra": user.extra or {},
            **({"uid": user.uid} if user.uid else {}),
        },
        dry_run=bool(review.dry_run),
        uid=review.uid,
        options=review.options,
    )
