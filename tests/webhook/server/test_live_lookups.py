"""What is read from the API server before a refusal: objects that the caches lack, and whole lists."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from tests.webhook.make import flow, job, known, queue, step
from tests.webhook.policies.make import policy
from tests.webhook.policies.test_exceptions import ALLOWED, CREATED, exception
from tests.webhook.server.serving import running
from webhook.server.handler import AdmissionHandler
from webhook.subject.lookups import MissingObject


async def test_a_queue_that_does_not_exist_is_refused() -> None:
    async with running() as client:
        assert not await client.allowed(job(queue="new"), "/jobs/validate")


async def test_a_queue_missing_from_the_cache_is_looked_up_once() -> None:
    asked: list[MissingObject] = []

    async def find(absences: Iterable[MissingObject]) -> list[tuple[Kind, Body]]:
        asked.extend(absences)
        return [(kinds.QUEUE, queue("new", None))]

    async with running(AdmissionHandler(known(), find=find)) as client:
        assert await client.allowed(job(queue="new"), "/jobs/validate")
        assert await client.allowed(job(), "/jobs/validate")
    assert asked == [MissingObject(kinds.QUEUE, "", "new")]


COUNTED: dict[str, tuple[str, Callable[[str], Body], str]] = {
    # field of the policy, an object of the kind with a name, path of the webhook
    "JobFlow": ("maxActiveFlows", lambda name: flow(step("a"), name=name), "/jobflows/validate"),
    "Job": ("maxActiveJobs", lambda name: job(name=name), "/jobs/validate"),
}


@pytest.mark.parametrize("counted", COUNTED)
async def test_objects_are_listed_live_before_their_number_refuses_one(counted: str) -> None:
    limit, named, path = COUNTED[counted]
    stored = [named("old")]
    listed: list[str] = []

    async def list_live(kind: Kind, namespace: str) -> list[Body] | None:
        listed.append(f"{kind.kind} {namespace}")
        return stored

    handler = AdmissionHandler(known(policy(limits={limit: 1}), named("old")), list_live=list_live)
    async with running(handler) as client:
        assert not await client.allowed(named("new"), path)
        stored.clear()
        assert await client.allowed(named("new"), path)
        assert not await client.allowed(named("newer"), path), "the one that was just admitted counts"
    assert listed == [f"{counted} ns1"] * 3


async def test_a_failed_live_list_keeps_the_refusal() -> None:
    async with running(
        AdmissionHandler(known(policy(limits={"maxRunningFlows": 1}), flow(step("a"), name="old")))
    ) as client:
        assert not await client.allowed(flow(step("a"), name="new"))


async def test_exceptions_are_listed_live_before_a_policy_that_allows_them_refuses() -> None:
    listed: list[str] = []
    stored: list[dict[str, Any]] | None = [exception()]

    async def list_live(kind: Kind, namespace: str) -> list[dict[str, Any]] | None:
        listed.append(f"{kind.kind} {namespace}")
        return stored

    def handler(*policies: dict[str, Any]) -> AdmissionHandler:
        return AdmissionHandler(known(*policies), list_live=list_live, wall_clock=lambda: CREATED + 1)

    strict = {"limits": {"maxSteps": 0}}
    async with running(handler(policy(**strict, **ALLOWED))) as client:
        assert await client.allowed(flow(step("a")))
        assert listed == ["JobFlowPolicyException ns1"]
        stored = None
        assert not await client.allowed(flow(step("a"))), "a list that fails keeps the refusal"
        stored = []
        assert not await client.allowed(flow(step("a")))
    listed.clear()
    elsewhere = {"exceptions": {"allowedNamespaces": ["ns2"], "maxDuration": "24h"}}
    async with running(handler(policy(**strict, **elsewhere), policy("mild", mode="Warn", **ALLOWED))) as client:
        assert not await client.allowed(flow(step("a")))
    assert listed == []
