"""Random `rules` of JobFlowPolicies in ValidatingAdmissionPolicies, as the controller makes them of the rules."""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Final

from controller.inprocess.decide import Observed, plan
from controller.inprocess.generated import RulesOption
from local.client.blocking import BlockingClient, path, until
from local.client.rest import RestError
from shared.kinds import ADMISSION_POLICY, JOBFLOWPOLICY, Kind
from shared.model.types import Body
from shared.policy import Compiler
from shared.policy.embedded import JUDGED
from tests.e2e.real.judging_server import bindings, limited_to, make_namespace, refusal
from tests.webhook.inprocess.agreement import Found, with_status
from tests.webhook.inprocess.random_rules import random_rules
from tests.webhook.make import body as made_of
from tests.webhook.make import flow, known
from webhook.envelope.review import AdmissionReview
from webhook.verdict.admit import policy_verdict
from webhook.verdict.kind_admission import DEFAULT_OPTIONS

_OPTION: Final = RulesOption("own", warns=True)
_WARNED: Final = re.compile(r"ValidatingAdmissionPolicy 'own-([^']+)'.*?\b(rules\.\w+)", re.DOTALL)
_NOT_EVALUATED: Final = "could not be evaluated"


class OwnRules:
    """What the webhook cannot evaluate it refuses, and the API server does not."""

    def enforce(self, kube: BlockingClient, rng: random.Random, name: str) -> list[Body]:
        """Policies that the API server does not store are left to the webhook, so others are made instead."""
        stored: list[Body] = []
        while not stored:
            wanted = [_valid(rng, f"{name}-{at}") for at in range(rng.randint(1, 3))]
            stored = [body for each in wanted if (body := _enforced(kube, name, each))]
        return stored

    def settle(self, kube: BlockingClient, name: str) -> None:
        make_namespace(kube, name, name)
        _enforced(kube, name, made_of(JOBFLOWPOLICY, name, {"rules": [{"name": "never", "expression": "false"}]}))
        until(lambda: refusal(kube, name, flow()), 120, lambda: "the policies do not come into force")

    def remove(self, kube: BlockingClient, policies: Sequence[Body]) -> None:
        for body in policies:
            kube.delete(JOBFLOWPOLICY, "", body["metadata"]["name"])
            for kind, each in _made(body):
                kube.delete(kind, "", each["metadata"]["name"])

    def found_by_webhook(self, review: AdmissionReview, policies: Sequence[Body], namespace: Body) -> Found:
        found = policy_verdict(review, known(*policies, namespace), DEFAULT_OPTIONS).policies
        return frozenset((each.policy, _unsure(each.rule, each.message.startswith(_NOT_EVALUATED))) for each in found)

    def found_in(self, reported: Sequence[str]) -> Found:
        return frozenset((found[1], found[2]) for text in reported if (found := _WARNED.search(text)))

    def disagreement(
        self, review: AdmissionReview, policies: Sequence[Body], webhook: Found, api_server: Found
    ) -> tuple[Found, Found]:
        listed = {
            (body["metadata"]["name"], rule)
            for body in policies
            for rule in body["status"]["inProcess"]["rules"]
            if review.kind.kind in {kind.kind for kind in JUDGED}
        }
        sure = frozenset(webhook & listed)
        unsure = {(name, rule.rstrip("?")) for name, rule in webhook}
        return api_server - unsure, sure - api_server


def _unsure(rule: str, unsure: bool) -> str:
    return f"{rule}?" if unsure else rule


def _valid(rng: random.Random, name: str) -> Body:
    """A policy that the webhook accepts and of which the API server judges a rule, if there is one in a few tries."""
    while True:
        body = random_rules(rng, name)
        if (compiled := Compiler().compile([body]).compiled) and compiled[0].rules:
            return body


def _enforced(kube: BlockingClient, judged_as: str, body: Body) -> Body | None:
    """The stored policy, None if the API server refuses what is made of it."""
    (stored,) = with_status([kube.create(JOBFLOWPOLICY, limited_to(judged_as, body))], own=True)
    name = stored["metadata"]["name"]
    for kind, each in _made(stored):
        try:
            kube.create(kind, each)
        except RestError as error:
            if error.code != 422:
                raise
            kube.delete(JOBFLOWPOLICY, "", name)
            return None
    kube.request("PUT", f"{path(JOBFLOWPOLICY, '', name)}/status", stored)
    return stored


def _made(body: Body) -> Iterator[tuple[Kind, Body]]:
    """What the controller makes of the policy, with two bindings instead of its own."""
    (compiled,) = Compiler().compile([body]).compiled
    for kind, each in plan(body, compiled, Observed(True, option=_OPTION)).made:
        if kind is ADMISSION_POLICY:
            yield kind, each
        else:
            yield from ((kind, made) for made in bindings(each["metadata"]["name"], each["spec"]))
