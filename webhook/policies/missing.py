"""The objects that policies or exceptions to them depend on and that the caches do not contain yet."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from shared import kinds
from shared.kinds import JOBTEMPLATE
from shared.model.phases import PolicyMode
from shared.policy import EMBEDDED, CompiledPolicy, relevant
from shared.policy.judging.required import EXISTING_TEMPLATES, templates_of
from shared.policy.match import needs_namespace
from webhook.envelope.review import AdmissionReview, AdmissionVerdict
from webhook.policies.judging import JUDGED_KINDS, compiled_policies, policy_input, template_review
from webhook.subject.lookups import Lookups, MissingObject

_LOOKED_UP: Final = 100  # maximum number of JobTemplates that are read live for one review


def unknown_namespace(review: AdmissionReview, lookups: Lookups) -> tuple[MissingObject, ...]:
    """The review's Namespace if a policy reads it and the cache does not contain it yet (one apply may create both)."""
    kind = (review.kind.group, review.kind.kind)
    if (kind not in JUDGED_KINDS and kind not in EMBEDDED) or not review.namespace:
        return ()
    if lookups.get(kinds.NAMESPACE, "", review.namespace) is not None:
        return ()
    needed = any(needs_namespace(policy) for policy in compiled_policies(lookups).compiled)
    return (MissingObject(kinds.NAMESPACE, "", review.namespace),) if needed else ()


def missing_templates(review: AdmissionReview, lookups: Lookups) -> Iterator[MissingObject]:
    """The JobTemplates that a policy requires to exist and the cache does not contain."""
    embedded, review = template_review(review) or (None, review)
    given = policy_input(review, lookups, embedded=embedded)
    if given is None or not given.is_flow:
        return
    if not any(_requires_templates(each) for each in relevant(given, compiled_policies(lookups).compiled)):
        return
    names = dict.fromkeys(name.text for _, name in templates_of(given))
    absent = (name for name in names if lookups.get(JOBTEMPLATE, given.namespace, name) is None)
    yield from (MissingObject(JOBTEMPLATE, given.namespace, name) for name in islice(absent, _LOOKED_UP))


def depends_on_missing_objects(verdict: AdmissionVerdict) -> bool:
    """Whether the verdict may change once missing objects are found: a refusal, or a finding about missing templates."""
    return not verdict.allowed or any(each.rule == EXISTING_TEMPLATES for each in verdict.policies)


def may_be_excepted(verdict: AdmissionVerdict, lookups: Lookups, namespace: str) -> bool:
    """Whether an exception that the cache does not contain yet could change the verdict."""
    refusing = {each.policy for each in verdict.policies if each.counts and each.mode is PolicyMode.ENFORCE}
    policies = compiled_policies(lookups).compiled
    return any(each.name in refusing and each.exception_namespaces.fits(namespace) for each in policies)


def _requires_templates(policy: CompiledPolicy) -> bool:
    return policy.spec.required is not None and policy.spec.required.existing_templates
