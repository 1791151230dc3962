"""The ways around policies, in the webhook and in the API server's own policies."""

import pytest

from shared.policy.in_process import WHOLLY
from tests.webhook.inprocess.agreement import found_in, with_status
from tests.webhook.inprocess.offline import refusals
from tests.webhook.make import review
from tests.webhook.policies.bypasses import BYPASSES
from tests.webhook.policies.make import judged, namespace, policy


@pytest.mark.parametrize("name", BYPASSES)
def test_the_webhook_refuses(name: str) -> None:
    spec, new, rule, old = BYPASSES[name]
    verdict = judged(new, policy("house", **spec), namespace(), old=old)
    assert not verdict.allowed
    assert {each.rule for each in verdict.policies} == {rule}


@pytest.mark.parametrize("name", [name for name, each in BYPASSES.items() if each.rule in WHOLLY])
def test_the_api_server_refuses(name: str) -> None:
    spec, new, rule, old = BYPASSES[name]
    (house,) = with_status([policy("house", **spec)], generation=1)
    assert found_in(refusals(review(new, old), namespace(), house)) == {("house", rule)}
