"""Decisions are carried out in order, once, and never over somebody else's change."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from controller.cluster.apply import Applier, Outcome
from controller.cluster.errors import NotLeader, StaleError
from controller.cluster.events import Recorder
from controller.cluster.slow_start import SlowStart
from controller.decision import Create, Decision, Delete, Note, Patch, Refusal
from shared.kinds import CONFIGMAP, JOB, POD, PODGROUP
from shared.kube.cache.cache import Caches
from shared.kube.client import errors
from shared.kube.client.api import Api
from shared.model.types import Body
from tests.shared.kube.fake import FakeServer, reset, status

JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"
PODS = "/api/v1/pods"
GROUPS = "/apis/scheduling.volcano.sh/v1beta1/podgroups"


def owner(uid: str) -> list[Body]:
    return [{"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "name": "j", "uid": uid, "controller": True}]


def pod(name: str, uid: str = "job-uid") -> Body:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns", "ownerReferences": owner(uid)},
    }


class Bench:
    """An applier on a fake API server, and a stored Job to decide about."""

    def __init__(self, fake: FakeServer, api: Api) -> None:
        self.fake = fake
        self.caches = Caches(api)
        self.pods = self.caches.want(POD)
        self.jobs = self.caches.want(JOB)
        self.notes: list[str] = []
        self.leads = True
        recorder = Recorder(api, "test", "here", now=lambda: 1000.0)
        recorder.note = lambda kind, body, note: self.notes.append(note.reason)
        self.applier = Applier(api, self.caches, recorder, is_leader=lambda: self.leads, now=lambda: 1000.0)
        self.job = fake.put(JOBS, {"kind": "Job", "metadata": {"name": "j", "namespace": "ns", "uid": "job-uid"}})

    async def apply(self, **decision: Any) -> Outcome:
        return await self.applier.apply(JOB, self.job, Decision(**decision))

    def pod_names(self) -> list[str]:
        return sorted(name for _, name in self.fake.objects.get(PODS, {}))


@pytest.fixture
def bench(fake: FakeServer, api: Api) -> Bench:
    return Bench(fake, api)


def creates(*names: str) -> tuple[Create, ...]:
    return tuple(Create(POD, pod(name)) for name in names)


def on(verb: str, answer: Callable[[web.Request], Awaitable[web.StreamResponse]], part: str = "") -> Any:
    """Give the first such request this answer, `before` or `after` it is carried out."""
    left = 1

    async def hook(request: web.Request) -> web.StreamResponse | None:
        nonlocal left
        if request.method == verb and part in request.path and left:
            left -= 1
            return await answer(request)
        return None

    return hook


async def refuse(request: web.Request) -> web.StreamResponse:
    return status(403, "Forbidden", "exceeded quota")


async def test_actions_then_status_then_cleanup_then_notes(bench: Bench) -> None:
    old = bench.fake.put(PODS, pod("old"))
    outcome = await bench.apply(
        actions=creates("new"),
        status={"state": {"phase": "Running"}},
        cleanup=(Delete(POD, "ns", "old", old["metadata"]["uid"]),),
        notes=(Note("Started", "it runs"),),
    )
    paths = [f"{verb} {path.rpartition('/')[2]}" for verb, path in bench.fake.log]
    assert paths == ["POST pods", "PUT status", "DELETE old"]
    assert bench.notes == ["Started"]
    assert (outcome.done, outcome.refusals) == (True, {})
    assert outcome.body["status"] == {"state": {"phase": "Running"}}


async def test_own_writes_are_visible_in_the_caches_immediately(bench: Bench) -> None:
    await bench.apply(actions=creates("a", "b"), status={"pending": 2})
    assert sorted(key.name for key in bench.pods) == ["a", "b"]
    assert (bench.jobs.get("ns", "j") or {})["status"] == {"pending": 2}
    made = bench.pods.get("ns", "a") or {}
    await bench.apply(cleanup=(Delete(POD, "ns", "a", made["metadata"]["uid"]),))
    assert [key.name for key in bench.pods] == ["b"]
    await bench.apply(actions=(Patch(POD, "ns", "b", {"metadata": {"labels": {"x": "y"}}}),))
    assert (bench.pods.get("ns", "b") or {})["metadata"]["labels"] == {"x": "y"}


async def test_an_unchanged_status_is_not_written(bench: Bench) -> None:
    bench.job = bench.fake.put(JOBS, {**bench.job, "status": {"a": 1}})
    await bench.apply(status={"a": 1})
    assert bench.fake.calls["PUT jobs/status"] == 0


async def test_a_podgroup_has_no_status_subresource(bench: Bench) -> None:
    group = bench.fake.put(GROUPS, {"metadata": {"name": "g", "namespace": "ns"}, "spec": {"minMember": 2}})
    await bench.applier.apply(PODGROUP, group, Decision(status={"phase": "Inqueue"}))
    stored = bench.fake.objects[GROUPS]["ns", "g"]
    assert (stored["status"], stored["spec"]) == ({"phase": "Inqueue"}, {"minMember": 2})
    assert bench.fake.calls["PUT podgroups"] == 1


async def test_after_a_refused_creation_no_later_action_is_applied(bench: Bench) -> None:
    bench.fake.before = on("POST", refuse)
    outcome = await bench.apply(actions=creates("a"), status={"x": 1}, notes=(Note("Started", "x"),))
    assert outcome.refusals == {(POD, "a"): Refusal(403, "exceeded quota", 1000.0)}
    assert not outcome.done
    assert bench.fake.calls["PUT jobs/status"] == 0
    assert bench.notes == []


async def test_creations_stop_after_the_first_refusal_by_a_quota(bench: Bench) -> None:
    async def full(request: web.Request) -> web.StreamResponse | None:
        return await refuse(request) if request.method == "POST" else None

    bench.fake.before = full
    outcome = await bench.apply(actions=creates(*(f"p{index}" for index in range(100))))
    assert len(outcome.refusals) == 1
    assert bench.fake.calls["POST pods"] == 1


async def test_batches_of_creations_grow_while_all_succeed() -> None:
    running, sizes = 0, []
    gate = asyncio.Event()

    async def perform(action: object) -> None:
        nonlocal running
        running += 1
        await asyncio.sleep(0)
        if running:
            sizes.append(running)
            running = 0
        gate.set()

    start = SlowStart()
    assert await start.run(creates(*(f"p{index}" for index in range(12))), perform) == []
    assert sizes == [1, 2, 4, 5]
    sizes.clear()
    await start.run(creates(*(f"p{index}" for index in range(40))), perform)
    assert sizes == [16, 16, 8]


async def test_an_existing_object_of_ours_counts_as_created(bench: Bench) -> None:
    bench.fake.put(PODS, pod("a"))
    outcome = await bench.apply(actions=creates("a"), status={"x": 1})
    assert outcome.done
    assert [key.name for key in bench.pods] == ["a"]


async def test_an_existing_object_of_another_owner_is_a_refusal_that_names_the_owner(bench: Bench) -> None:
    bench.fake.put(PODS, pod("a", uid="other"))
    bench.fake.put(PODS, {"metadata": {"name": "b", "namespace": "ns"}})
    outcome = await bench.apply(actions=creates("a", "b"))
    refusal = outcome.refusals[POD, "a"]
    assert refusal.code == 409
    assert refusal.leaving
    assert refusal.message == 'Pod "a" of an earlier Job of this name has yet to be deleted; waiting until it is gone'
    outcome = await bench.apply(actions=creates("b"))
    assert "belongs to no controller; delete or rename it" in outcome.refusals[POD, "b"].message
    assert not outcome.refusals[POD, "b"].leaving


async def test_an_object_that_is_being_deleted_is_waited_for(bench: Bench) -> None:
    old = pod("a", uid="other")
    old["metadata"] |= {"deletionTimestamp": "2026-01-02T03:00:00Z", "finalizers": ["kept/here"]}
    bench.fake.put(PODS, old)
    refusal = (await bench.apply(actions=creates("a"))).refusals[POD, "a"]
    assert (refusal.leaving, refusal.message) == (True, 'the old Pod "a" is being deleted; waiting until it is gone')


async def test_a_name_used_by_another_owner_must_be_freed_by_a_user(bench: Bench) -> None:
    other = pod("a", uid="other")
    other["metadata"]["ownerReferences"][0]["name"] = "somebody"
    bench.fake.put(PODS, other)
    refusal = (await bench.apply(actions=creates("a"))).refusals[POD, "a"]
    assert not refusal.leaving
    assert "belongs to Job 'somebody' (uid other); delete or rename it" in refusal.message


async def test_an_existing_object_without_owner_is_used_unchanged(bench: Bench) -> None:
    body = {"metadata": {"name": "c", "namespace": "ns"}}
    bench.fake.put("/api/v1/configmaps", dict(body))
    assert (await bench.apply(actions=(Create(CONFIGMAP, body),))).done


async def test_a_creation_with_a_lost_response_happens_once(bench: Bench) -> None:
    bench.fake.after = on("POST", reset)
    outcome = await bench.apply(actions=creates("a"), status={"x": 1})
    assert outcome.done
    assert bench.fake.calls["POST pods"] == 1
    assert [key.name for key in bench.pods] == ["a"]


async def test_a_creation_that_did_not_reach_the_server_is_repeated_by_the_next_pass(bench: Bench) -> None:
    bench.fake.before = on("POST", reset)
    with pytest.raises(errors.ConnectionLost):
        await bench.apply(actions=creates("a"), status={"x": 1})
    assert bench.fake.calls["PUT jobs/status"] == 0
    assert (await bench.apply(actions=creates("a"))).done
    assert bench.pod_names() == ["a"]


async def test_one_failure_does_not_undo_its_siblings(bench: Bench) -> None:
    bench.fake.before = on("DELETE", lambda request: _answer(500), "pods/x")
    bench.fake.put(PODS, pod("x"))
    with pytest.raises(errors.Unavailable):
        await bench.apply(actions=(*creates("a", "b"), Delete(POD, "ns", "x", "uid-1")))
    assert bench.pod_names() == ["a", "b", "x"]


async def _answer(code: int) -> web.Response:
    return status(code, "InternalError")


async def test_an_object_of_the_same_name_with_another_uid_is_not_deleted(bench: Bench) -> None:
    bench.fake.put(PODS, pod("a"))
    outcome = await bench.apply(actions=(Delete(POD, "ns", "a", "an old uid"),))
    assert outcome.done
    assert bench.pod_names() == ["a"]


async def test_a_missing_object_counts_as_deleted(bench: Bench) -> None:
    assert (await bench.apply(actions=(Delete(POD, "ns", "a", "u"),))).done


async def test_after_a_deletion_with_a_lost_response_the_object_is_read(bench: Bench) -> None:
    made = bench.fake.put(PODS, pod("a"))
    bench.fake.after = on("DELETE", lambda request: _answer(504))
    assert (await bench.apply(actions=(Delete(POD, "ns", "a", made["metadata"]["uid"]),))).done
    bench.fake.put(PODS, pod("b"))
    bench.fake.before = on("DELETE", lambda request: _answer(504))
    with pytest.raises(errors.Timeout):
        await bench.apply(actions=(Delete(POD, "ns", "b", bench.fake.objects[PODS]["ns", "b"]["metadata"]["uid"]),))


async def test_an_object_held_by_a_finalizer_is_seen_as_being_deleted(bench: Bench) -> None:
    body = pod("a")
    body["metadata"]["finalizers"] = ["x/y"]
    made = bench.fake.put(PODS, body)
    await bench.apply(actions=(Delete(POD, "ns", "a", made["metadata"]["uid"]),))
    assert "deletionTimestamp" in (bench.pods.get("ns", "a") or {})["metadata"]


async def test_a_status_written_after_another_change_is_stale(bench: Bench) -> None:
    bench.fake.put(JOBS, {**bench.job, "metadata": dict(bench.job["metadata"])})
    bench.job["metadata"] = {**bench.job["metadata"], "resourceVersion": "1"}
    with pytest.raises(StaleError):
        await bench.apply(status={"x": 1}, notes=(Note("Started", "x"),))
    assert bench.notes == []


async def test_the_status_of_a_deleted_object_is_stale(bench: Bench) -> None:
    bench.fake.remove(JOBS, "ns", "j")
    with pytest.raises(StaleError):
        await bench.apply(status={"x": 1})


async def test_after_a_status_write_with_a_lost_response_the_object_is_read(bench: Bench) -> None:
    bench.fake.after = on("PUT", lambda request: _answer(504))
    assert (await bench.apply(status={"x": 1})).body["status"] == {"x": 1}
    bench.job = bench.fake.objects[JOBS]["ns", "j"]
    bench.fake.before = on("PUT", lambda request: _answer(504))
    with pytest.raises(errors.Timeout):
        await bench.apply(status={"x": 2})


async def test_a_patch_of_another_uid_is_stale(bench: Bench) -> None:
    bench.fake.put(PODS, pod("a"))
    with pytest.raises(StaleError):
        await bench.apply(actions=(Patch(POD, "ns", "a", {"metadata": {"labels": {"x": "y"}}}, uid="other"),))
    with pytest.raises(StaleError):
        await bench.apply(actions=(Patch(POD, "ns", "gone", {"spec": {}}),))


IMMUTABLE = {"field": "metadata.uid", "reason": "FieldValueInvalid", "message": "field is immutable"}
REFUSED_PATCHES = {
    "a merge patch of another uid": ({"spec": {}}, [IMMUTABLE], True),
    "a JSON patch whose test does not hold": ([{"op": "remove", "path": "/x"}], [], True),
    "a merge patch that makes the object invalid": ({"spec": {}}, [{"field": "spec.x"}], False),
    "a JSON patch that makes the object invalid": ([{"op": "remove", "path": "/x"}], [{"field": "spec.x"}], False),
}


@pytest.mark.parametrize(("change", "causes", "stale"), REFUSED_PATCHES.values(), ids=REFUSED_PATCHES.keys())
async def test_a_422_is_stale_or_a_refusal(bench: Bench, change: Any, causes: list[Body], stale: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return status(422, "Invalid", "no", causes=causes)

    bench.fake.before = on("PATCH", answer)
    patch = Patch(POD, "ns", "a", change, uid="u")
    if stale:
        with pytest.raises(StaleError):
            await bench.apply(actions=(patch,))
    else:
        assert (await bench.apply(actions=(patch,))).refusals[POD, "a"].code == 422


async def test_a_process_that_lost_its_lease_writes_nothing(bench: Bench) -> None:
    bench.leads = False
    for decision in ({"actions": creates("a")}, {"status": {"x": 1}}):
        with pytest.raises(NotLeader):
            await bench.apply(**decision)
    assert bench.fake.log == []


BROKEN = {
    "a server that has no time": (429, "TooManyRequests", "too many requests"),
    "a webhook that fails": (500, "InternalError", 'failed calling webhook "images.example.com"'),
}


@pytest.mark.parametrize(("code", "reason", "message"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_failed_creation_is_reported_like_a_refusal(bench: Bench, code: int, reason: str, message: str) -> None:
    async def broken(request: web.Request) -> web.StreamResponse | None:
        return status(code, reason, message, retryAfterSeconds=0) if request.method == "POST" else None

    bench.fake.before = broken
    outcome = await bench.apply(actions=creates("a"), status={"x": 1})
    assert outcome.refusals == {(POD, "a"): Refusal(code, message, 1000.0)}
    assert not outcome.done
