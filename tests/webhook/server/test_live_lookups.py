"""What is read from the API server before a refusal: objects that the caches lack, and whole lists."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from tests.webhook.make import envelope, flow, job, known, queue, review, step
from tests.webhook.policies.make import policy
from tests.webhook.policies.test_exceptions import ALLOWED, CREATED, exception
from tests.webhook.server.serving import running
from webhook.server.handler import AdmissionHandler
from webhook.server.live_reads import seconds_for_reads
from webhook.subject.lookups import MissingObject


async def test_a_queue_that_does_not_exist_is_refused() -> None:
    async with running() as client:
        assert not await client.allowed(job(queue="new"), "/jobs/validate")


async def test_a_queue_missing_from_the_cache_is_looked_up_once() -> None:
    asked: list[MissingObject] = []

    async def find(absences: Iterable[MissingObject], seconds: float) -> list[tuple[Kind, Body]]:
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

    async def list_live(kind: Kind, namespace: str, seconds: float) -> list[Body] | None:
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

    async def list_live(kind: Kind, namespace: str, seconds: float) -> list[dict[str, Any]] | None:
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


SELECTING: Body = {"match": {"namespaceSelector": {"matchLabels": {"team": "a"}}}, "limits": {"maxActiveFlows": 1}}
TEAM: Body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns1", "labels": {"team": "a"}}}


async def test_the_reads_of_a_review_share_the_time_that_the_api_server_waits() -> None:
    now, given = 100.0, list[tuple[str, float]]()

    async def find(absences: Iterable[MissingObject], seconds: float) -> list[tuple[Kind, Body]]:
        nonlocal now
        given.append(("find", round(seconds, 3)))
        now += 2.25
        return [(kinds.NAMESPACE, TEAM)]

    async def list_live(kind: Kind, namespace: str, seconds: float) -> list[Body] | None:
        nonlocal now
        given.append(("list", round(seconds, 3)))
        now += 2
        return None

    stored = known(policy(**SELECTING, **ALLOWED), flow(step("a"), name="old"))
    handler = AdmissionHandler(stored, find=find, list_live=list_live, clock=lambda: now)
    async with running(handler) as client:
        assert not await client.allowed(flow(step("a"), name="new"), "/jobflows/validate?timeout=5s")
    assert given == [("find", 3.0), ("list", 0.75), ("list", 0.0)]


async def test_the_time_for_judging_does_not_include_reads() -> None:
    """Else an object would be refused as too large when the API server is slow."""
    now = 100.0

    async def find(absences: Iterable[MissingObject], seconds: float) -> list[tuple[Kind, Body]]:
        nonlocal now
        now += 2.75
        return [(kinds.QUEUE, queue("new"))]

    async with running(AdmissionHandler(known(), find=find, clock=lambda: now)) as client:
        assert await client.allowed(job(queue="new"), "/jobs/validate")


# The query parameter of the API server, and how long reads may take.
TIMEOUTS = {"5s": 3.0, "30s": 3.0, "4s": 2.0, "2s": 0.5, "1s": 0.5, "": 3.0, "1m0s": 3.0, "-5s": 3.0, "5": 3.0}


@pytest.mark.parametrize(("timeout", "seconds"), TIMEOUTS.items())
def test_reads_leave_time_for_the_answer(timeout: str, seconds: float) -> None:
    assert seconds_for_reads(timeout) == seconds


@pytest.mark.parametrize("path", ["/jobflows/mutate", "/jobflows/validate"])
async def test_an_object_is_refused_while_the_namespace_by_which_a_policy_selects_cannot_be_read(path: str) -> None:
    """It exists, because the API server checks that first; it is new, or the cache would contain it."""
    found: list[tuple[Kind, Body]] = []

    async def find(absences: Iterable[MissingObject], seconds: float) -> list[tuple[Kind, Body]]:
        return found

    strict = policy(match=SELECTING["match"], limits={"maxSteps": 1})
    async with running(AdmissionHandler(known(strict), find=find)) as client:
        said = (await client.post(path, envelope(review(flow(step("a"))))))[1]["response"]
        assert not said["allowed"]
        assert "its Namespace, by whose labels JobFlowPolicies select, cannot be read" in said["status"]["message"]
        assert said["status"]["code"] == 403, "else the flow controller fails the step, as if its Job were invalid"
        found.append((kinds.NAMESPACE, TEAM))
        assert await client.allowed(flow(step("a")), path)
    async with running(AdmissionHandler(known())) as client:
        assert await client.allowed(flow(step("a")), path), "no policy selects by labels"
