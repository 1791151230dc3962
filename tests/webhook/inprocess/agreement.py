"""Compares what ValidatingAdmissionPolicies refuse with what the webhook refuses."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from shared.model.types import Body
from shared.policy import Compiler
from shared.policy.in_process import WHOLLY, defaulted_fields, in_process, status_of
from shared.policy.judging.faults import MOST
from tests.webhook.make import known
from webhook.envelope.review import AdmissionReview
from webhook.verdict.admit import mutate, policy_verdict
from webhook.verdict.kind_admission import DEFAULT_OPTIONS
from webhook.verdict.structure import with_defaults

_SENTENCE: Final = re.compile(r'policy "([^"]+)" \((\w+\.\w+)\)')
Found = frozenset[tuple[str, str]]
CUT: Final = "*"


class Disagreement(NamedTuple):
    """(policy, rule) that only one side finds. `too_much`: by the API server alone, which must never happen."""

    review: AdmissionReview
    too_much: Found
    too_little: Found


def with_status(policies: Sequence[Body], generation: int | None = None, *, own: bool = False) -> list[Body]:
    """The policies with the status that the controller gives them. `generation`: set where the API server does not;
    `own`: the API server judges their `rules` too."""
    bodies = [
        {**body, "metadata": {**body["metadata"], **({"generation": generation} if generation else {})}}
        for body in policies
    ]
    compiled = {each.name: each for each in Compiler().compile(bodies).compiled}
    assert len(compiled) == len(bodies), [name for name in bodies if name["metadata"]["name"] not in compiled]
    defaulted = defaulted_fields(compiled.values())
    return [
        {
            **body,
            "status": {
                "inProcess": status_of(
                    in_process(compiled[body["metadata"]["name"]], defaulted, own=own), body["metadata"]["generation"]
                )
            },
        }
        for body in bodies
    ]


def completed(review: AdmissionReview, policies: Iterable[Body], namespace: Body) -> AdmissionReview:
    """The review as the mutating webhook completes it."""
    return with_defaults(review, mutate(review, known(*policies, namespace)))


def found_by_webhook(review: AdmissionReview, policies: Iterable[Body], namespace: Body) -> Found:
    """(policy, rule) of all findings about the object; rule CUT for a policy of which the webhook reports no more."""
    verdict = policy_verdict(review, known(*policies, namespace), DEFAULT_OPTIONS)
    cut = {name for name, count in Counter(each.policy for each in verdict.policies).items() if count >= MOST}
    return frozenset((each.policy, each.rule) for each in verdict.policies) | {(name, CUT) for name in cut}


def found_in(sentences: Iterable[str]) -> Found:
    """(policy, rule) that the sentences of ValidatingAdmissionPolicies name."""
    return frozenset((name, rule) for text in sentences for name, rule in _SENTENCE.findall(text))


def disagreement(
    review: AdmissionReview, policies: Sequence[Body], webhook: Found, api_server: Found
) -> Disagreement | None:
    """The difference; `too_little` contains only rules that the API server judges like the webhook."""
    whole = {
        (body["metadata"]["name"], rule)
        for body in policies
        for rule in body["status"]["inProcess"]["rules"]
        if rule in WHOLLY and rule not in {each["rule"] for each in body["status"]["inProcess"].get("webhookOnly", ())}
    }
    cut = {name for name, rule in webhook if rule == CUT}
    more = frozenset(each for each in api_server - webhook if each[0] not in cut)
    made = Disagreement(review, more, (webhook & whole) - api_server)
    return made if made.too_much or made.too_little else None


def by(review: AdmissionReview, name: str, *groups: str) -> AdmissionReview:
    """The review of a user."""
    user = msgspec.structs.replace(review.user_info, username=name, groups=groups)
    return msgspec.structs.replace(review, user_info=user)
