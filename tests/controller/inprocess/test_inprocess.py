"""`status.inProcess` of policies: what it says, and that it follows the policies."""

from typing import Any

import msgspec
import pytest

from controller.context import ControllerContext
from controller.inprocess import reconciler
from controller.inprocess.decide import Observed, decide, plan
from controller.policy import reconciler as policy_reconciler
from shared.model.types import Body
from shared.policy import Compiler
from tests.controller.support import running
from tests.purity import pure
from tests.shared.kube.fake import FakeServer, until

POLICIES = "/apis/policy.jobflow.dev/v1alpha1/jobflowpolicies"


def policy(name: str = "p", generation: int = 1, **spec: Any) -> Body:
    return {"metadata": {"name": name, "generation": generation}, "spec": spec}


def stated(fake: FakeServer, name: str = "p") -> Body:
    return (fake.objects[POLICIES]["", name].get("status") or {}).get("inProcess") or {}


@pytest.fixture
def installed(context: ControllerContext) -> ControllerContext:
    settings = msgspec.structs.replace(context.settings, in_process_policies=True)
    return ControllerContext(**{**vars(context), "settings": settings})


def decided(body: Body, *, installed: bool = True) -> Body | None:
    compiled = next(iter(Compiler().compile([body]).compiled), None)
    observed = Observed(installed)
    return pure(decide)(body, pure(plan)(body, compiled, observed), observed).status


def test_the_status_lists_the_rules_of_this_generation_and_keeps_the_rest() -> None:
    body = {**policy(generation=3, limits={"maxSteps": 1, "maxDepth": 2}), "status": {"violations": 4}}
    status = decided(body)
    assert status == {
        "violations": 4,
        "inProcess": {
            "rules": ["limits.maxSteps"],
            "webhookOnly": [{"rule": "limits.maxDepth", "why": "needs the longest path of a graph"}],
            "observedGeneration": 3,
        },
    }
    assert decided({**body, "status": status}) is None


def test_nothing_of_an_invalid_policy_is_enforced() -> None:
    status = decided(policy(limits={"maxSteps": 1}, rules=[{"name": "r", "expression": "object."}]))
    assert status is not None
    assert status["inProcess"]["rules"] == []
    assert status["inProcess"]["webhookOnly"] == [{"rule": "*", "why": "the policy is not valid"}]


def test_where_the_policies_of_the_chart_are_not_installed_nothing_is_stated() -> None:
    body = policy(limits={"maxSteps": 1})
    assert decided(body, installed=False) is None
    assert decided({**body, "status": {"inProcess": {"rules": []}, "violations": 1}}, installed=False) == {
        "violations": 1
    }


def test_a_policy_that_is_being_deleted_is_left_alone() -> None:
    body = policy(limits={"maxSteps": 1})
    body["metadata"]["deletionTimestamp"] = "2026-11-28T00:00:00Z"
    assert decided(body) is None


async def test_the_status_follows_the_policy_and_the_defaults_of_others(
    fake: FakeServer, installed: ControllerContext
) -> None:
    fake.put(POLICIES, policy(limits={"maxActiveDeadlineSeconds": 5}))
    async with running(installed, reconciler.build(installed), policy_reconciler.build(installed)):
        await until(lambda: stated(fake).get("observedGeneration") == 1)
        assert stated(fake) == {"rules": ["limits.maxActiveDeadlineSeconds"], "observedGeneration": 1}
        fake.put(POLICIES, policy("q", defaults={"activeDeadlineSeconds": 3}))
        await until(lambda: "webhookOnly" in stated(fake))
        fake.put(POLICIES, policy(generation=2, limits={"maxSteps": 5}))
        await until(lambda: stated(fake).get("rules") == ["limits.maxSteps"])
        await until(lambda: "lastScanTime" in fake.objects[POLICIES]["", "p"]["status"])
        assert stated(fake)["observedGeneration"] == 2
