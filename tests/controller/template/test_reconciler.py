"""The JobTemplate and TTL controllers, routes, refusals and the manager, on a fake API server."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from controller.cluster.apply import Applier
from controller.cluster.errors import StaleError
from controller.cluster.events import Recorder
from controller.context import ControllerContext
from controller.decision import Child, Create, Decision, Refusal
from controller.owner_references import by_controller_uid
from controller.runtime import routes
from controller.runtime.controller import Controller, Route
from controller.runtime.manager import Manager
from controller.runtime.rate_limit import BURST
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.runtime.worker import CURRENT_PASS
from controller.runtime.workqueue import WorkQueue
from controller.settings import Settings
from controller.template import reconciler as templates
from controller.ttl import reconciler as ttl
from shared.key import Key
from shared.kinds import JOB, JOBFLOW, POD
from shared.kube.cache.cache import Caches, stopped
from shared.kube.client.api import Api
from shared.model.types import Body
from tests.shared.kube.fake import FakeServer, serving, status, until

JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"
TEMPLATES = "/apis/flow.volcano.sh/v1alpha1/jobtemplates"
NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def context(fake: FakeServer, clock: Clock) -> AsyncIterator[ControllerContext]:
    async with serving(fake) as (_, api):
        yield context_on(api, clock)


def context_on(api: Api, clock: Clock) -> ControllerContext:
    caches = Caches(api)
    recorder = Recorder(api, "test", "here", now=clock)
    applier = Applier(api, caches, recorder, now=clock)
    return ControllerContext(api, caches, applier, recorder, Settings(), clock, steady=clock)


@asynccontextmanager
async def running(context: ControllerContext, *controllers: Controller) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    manager = Manager(controllers, context.caches, workers=4)
    caching = asyncio.create_task(context.caches.run())
    working = asyncio.create_task(manager.run(stop))
    try:
        yield stop
        stop.set()
        async with asyncio.timeout(5):
            await working
    finally:
        working.cancel()
        await stopped(caching)


def job(name: str, template: str = "ns.a", **more: Any) -> Body:
    return {
        "metadata": {"name": name, "namespace": "ns", "labels": {"volcano.sh/createdByJobTemplate": template}},
        **more,
    }


def listed(fake: FakeServer, template: str = "a") -> list[str]:
    return list((fake.objects[TEMPLATES]["ns", template].get("status") or {}).get("jobDependsOnList", ()))


async def test_a_template_lists_its_jobs_and_forgets_deleted_ones(
    fake: FakeServer, context: ControllerContext, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.template.decide.INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr("controller.template.decide.NAMES_PER_SECOND", math.inf)
    fake.put(TEMPLATES, {"metadata": {"name": "a", "namespace": "ns"}})
    fake.put(JOBS, job("f-a"))
    fake.put(JOBS, job("g-a"))
    fake.put(JOBS, job("other", template="elsewhere.a"))
    async with running(context, templates.build(context)):
        await until(lambda: listed(fake) == ["f-a", "g-a"])
        fake.remove(JOBS, "ns", "f-a")
        await until(lambda: listed(fake) == ["g-a"])
        fake.put(JOBS, {**job("g-a"), "status": {"state": {"phase": "Running"}}})
        fake.put(TEMPLATES, {**fake.objects[TEMPLATES]["ns", "a"], "status": {"jobDependsOnList": ["nonsense"]}})
        await until(lambda: listed(fake) == ["g-a"])
        fake.put(JOBS, job("later", template="ns.b"))
        fake.put(TEMPLATES, {"metadata": {"name": "b", "namespace": "ns"}})
        await until(lambda: listed(fake, "b") == ["later"])


async def test_of_many_templates_in_use_at_once_the_last_are_written_later(
    fake: FakeServer, context: ControllerContext, clock: Clock
) -> None:
    names = [f"t{at}" for at in range(BURST + 10)]
    for name in names:
        fake.put(TEMPLATES, {"metadata": {"name": name, "namespace": "ns"}})
        fake.put(JOBS, job(f"f-{name}", template=f"ns.{name}"))
    reconciler = templates.build(context).reconciler
    async with running(context):
        await until(lambda: context.caches.unsynced() == [])
        pauses = [await reconciler.reconcile(Key("ns", name)) for name in names]
        assert sum(bool(listed(fake, name)) for name in names) == BURST
        later = [pause for pause in pauses if pause is not None]
        assert later == sorted(later)
        assert len(later) == 10
        clock.now += max(later)
        assert [await reconciler.reconcile(Key("ns", name)) for name in names] == [None] * len(names)
        assert all(listed(fake, name) == [f"f-{name}"] for name in names)


async def test_a_finished_job_is_deleted_when_its_time_is_up(
    fake: FakeServer, context: ControllerContext, clock: Clock
) -> None:
    state = {"state": {"phase": "Completed", "lastTransitionTime": "2026-01-02T03:04:05Z"}}
    fake.put(JOBS, job("due", spec={"ttlSecondsAfterFinished": 0}, status=state))
    fake.put(JOBS, job("kept", status=state))
    fake.put(JOBS, job("later", spec={"ttlSecondsAfterFinished": 3600}, status=state))
    async with running(context, ttl.build(context)):
        await until(lambda: sorted(name for _, name in fake.objects[JOBS]) == ["kept", "later"])


async def test_a_ttl_that_was_raised_a_moment_ago_saves_the_job(
    fake: FakeServer, context: ControllerContext, clock: Clock
) -> None:
    state = {"state": {"phase": "Completed", "lastTransitionTime": "2026-01-02T03:04:05Z"}}
    controller = ttl.build(context)
    stale = job("j", spec={"ttlSecondsAfterFinished": 0}, status=state)
    stale["metadata"].update(uid="uid-1", resourceVersion="1")
    jobs = context.caches.of(JOB)
    assert jobs is not None
    jobs.assume(stale)
    fake.put(JOBS, job("j", spec={"ttlSecondsAfterFinished": 600}, status=state))
    assert await controller.reconciler.reconcile(Key("ns", "j")) == 600
    assert fake.calls["DELETE jobs"] == 0


def owned(kind: str, version: str, **metadata: Any) -> Body:
    reference = {"kind": kind, "apiVersion": version, "name": "o", "uid": "ou", "controller": True}
    return {"metadata": {"name": "x", "namespace": "ns", "ownerReferences": [reference], **metadata}}


OWNED = {
    "its controller": (owned("JobFlow", "flow.volcano.sh/v1alpha1"), {Key("ns", "o")}),
    "another version of it": (owned("JobFlow", "flow.volcano.sh/v2"), {Key("ns", "o")}),
    "a namesake of another group": (owned("JobFlow", "other.io/v1"), set()),
    "another kind": (owned("Job", "flow.volcano.sh/v1alpha1"), set()),
    "no owner": ({"metadata": {"name": "x", "namespace": "ns"}}, set()),
}


@pytest.mark.parametrize(("body", "want"), OWNED.values(), ids=OWNED.keys())
def test_a_change_wakes(body: Body, want: set[Key]) -> None:
    wakes = routes.its_controller(JOBFLOW)
    assert set(wakes(None, body)) == set(wakes(body, None)) == want
    assert list(by_controller_uid(body)) == (["ou"] if "ownerReferences" in body["metadata"] else [])


@pytest.mark.parametrize(("own_writes", "want"), [(True, ["ns/x", "ns/y"]), (False, ["ns/y"])])
async def test_own_writes_may_leave_their_own_key_asleep(
    context: ControllerContext, own_writes: bool, want: list[str]
) -> None:
    cache = context.caches.want(POD)
    queue = WorkQueue(f"own-{own_writes}")
    controller = Controller("own", queue, templates.build(context).reconciler, (Route(cache, both, own_writes),), cache)
    controller.connect()
    token = CURRENT_PASS.set(("own", Key("ns", "x")))
    cache.assume({"metadata": {"name": "p", "namespace": "ns", "uid": "1", "resourceVersion": "1"}})
    CURRENT_PASS.reset(token)
    got = [str(await queue.get()) for _ in range(len(queue))]
    assert sorted(got) == want


def both(old: Body | None, new: Body | None) -> list[Key]:
    return [Key("ns", "x"), Key("ns", "y")]


async def test_a_scan_wants_every_object_after_what_is_urgent(context: ControllerContext) -> None:
    cache = context.caches.want(POD)
    for index in range(3):
        cache.assume({"metadata": {"name": f"p{index}", "namespace": "ns", "uid": str(index), "resourceVersion": "1"}})
    controller = Controller("scan", WorkQueue("scan"), templates.build(context).reconciler, (), cache)
    controller.scan()
    controller.queue.add(Key("ns", "urgent"))
    got = [(await controller.queue.get() or Key("", "")).name for _ in range(4)]
    assert got == ["urgent", "p0", "p1", "p2"]
    assert controller.uid_of(Key("ns", "p2")) == "2"
    assert controller.uid_of(Key("ns", "gone")) == ""


class Decider:
    """Wants a Pod; when that was refused, says so in the status instead."""

    def __init__(self, flow: Body) -> None:
        self.flow = flow
        self.knew: list[dict[Child, Refusal]] = []

    def __call__(self, refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
        self.knew.append(dict(refusals))
        if refusals:
            return self.flow, Decision(status={"reason": next(iter(refusals.values())).message}, requeue_after=5)
        pod = {"metadata": {"name": "p", "namespace": "ns"}}
        return self.flow, Decision(actions=(Create(POD, pod),), status={"reason": ""})


FLOWS = "/apis/flow.volcano.sh/v1alpha1/jobflows"


async def test_a_refusal_is_known_to_the_next_decision_and_forgotten_when_it_heals(
    fake: FakeServer, context: ControllerContext
) -> None:
    key = Key("ns", "f")
    decide = Decider(fake.put(FLOWS, {"metadata": {"name": "f", "namespace": "ns"}}))
    memory = Refusals()

    async def quota(request: Any) -> Any:
        return status(403, "Forbidden", "exceeded quota") if request.method == "POST" else None

    fake.before = quota
    assert await decide_and_apply(context.applier, memory, JOBFLOW, key, decide) == 5
    assert [len(known) for known in decide.knew] == [0, 1]
    assert fake.objects[FLOWS]["ns", "f"]["status"] == {"reason": "exceeded quota"}

    fake.before = None
    decide.flow = fake.objects[FLOWS]["ns", "f"]
    retry = Decision(actions=(Create(POD, {"metadata": {"name": "p", "namespace": "ns"}}),), status={"reason": ""})
    assert await decide_and_apply(context.applier, memory, JOBFLOW, key, lambda refusals: (decide.flow, retry)) is None
    assert memory.of(key) == {}


async def test_a_decider_that_insists_is_stopped(fake: FakeServer, context: ControllerContext) -> None:
    flow = fake.put(FLOWS, {"metadata": {"name": "f", "namespace": "ns"}})
    insists = Decision(actions=(Create(POD, {"metadata": {"name": "p", "namespace": "ns"}}),))

    async def quota(request: Any) -> Any:
        return status(403, "Forbidden", "exceeded quota")

    fake.before = quota
    memory = Refusals()
    with pytest.raises(StaleError):
        await decide_and_apply(context.applier, memory, JOBFLOW, Key("ns", "f"), lambda refusals: (flow, insists))
    assert memory.of(Key("ns", "f"))[POD, "p"].count == 4
    memory.forget(Key("ns", "f"))
    assert memory.of(Key("ns", "f")) == {}
