import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from shared.kinds import JOBFLOWPOLICY, POD, QUEUE
from shared.kube.cache.cache import Cache, Caches, stopped
from shared.kube.client.api import Api
from shared.kube.client.reader import WatchEvent
from shared.model.types import Body
from tests.shared.kube.fake import FakeServer, event, status, until

PODS = "/api/v1/pods"


def pod(name: str, namespace: str = "ns", **metadata: Any) -> Body:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, **metadata}}


@asynccontextmanager
async def running(cache: Cache | Caches) -> AsyncIterator[None]:
    task = asyncio.create_task(cache.run())
    try:
        async with asyncio.timeout(10):
            await cache.synced()
            yield
    finally:
        await stopped(task)


class Log:
    def __init__(self, cache: Cache) -> None:
        self.lines: list[str] = []
        cache.on_change(self.note)

    def note(self, old: Body | None, new: Body | None) -> None:
        sign = "~" if old and new else "+" if new else "-"
        self.lines.append(sign + (new or old or {})["metadata"]["name"])


def names(cache: Cache) -> list[str]:
    return sorted(key.name for key in cache)


async def test_it_lists_in_pages_then_follows_the_watch(fake: FakeServer, api: Api) -> None:
    for index in range(1200):
        fake.put(PODS, pod(f"p{index}", managedFields=[{"manager": "me"}]))
    cache = Cache(api, POD, indexers={"first": lambda body: [body["metadata"]["name"][:2]]})
    assert not cache.has_synced
    async with running(cache):
        assert len(cache) == 1200
        assert fake.calls["LIST pods"] == 3
        assert "managedFields" not in (cache.get("ns", "p1") or {})["metadata"]
        log = Log(cache)
        assert len(log.lines) == 1200
        log.lines.clear()
        fake.put(PODS, pod("new"))
        fake.put(PODS, pod("new", labels={"a": "b"}))
        fake.remove(PODS, "ns", "new")
        await until(lambda: log.lines == ["+new", "~new", "-new"])
        assert len(cache.by("first", "p7")) == 111
        assert fake.calls["LIST pods"] == 3


async def test_a_dropped_watch_continues_from_its_last_version(fake: FakeServer, api: Api) -> None:
    fake.put(PODS, pod("a"))
    cache = Cache(api, POD)
    async with running(cache):
        await until(lambda: bool(fake.watching))
        fake.drop_watches()
        fake.put(PODS, pod("b"))
        await until(lambda: names(cache) == ["a", "b"])
        assert fake.calls["LIST pods"] == 1


async def test_after_410_it_lists_again_and_reports_missed_deletions(fake: FakeServer, api: Api) -> None:
    for name in ("kept", "lost", "replaced"):
        fake.put(PODS, pod(name))
    cache = Cache(api, POD)
    log = Log(cache)
    async with running(cache):
        await until(lambda: bool(fake.watching))
        log.lines.clear()
        fake.remove(PODS, "ns", "lost")
        fake.remove(PODS, "ns", "replaced")
        fake.put(PODS, pod("replaced"))
        fake.forget_history()
        fake.drop_watches()
        await until(lambda: sorted(log.lines) == ["+replaced", "-lost", "-replaced"])
        assert log.lines.index("-replaced") < log.lines.index("+replaced")
        assert names(cache) == ["kept", "replaced"]


async def test_an_expired_paged_list_is_repeated_without_pages(fake: FakeServer, api: Api) -> None:
    for index in range(600):
        fake.put(PODS, pod(f"p{index}"))

    async def expired(request: web.Request) -> web.StreamResponse | None:
        return status(410, "Expired") if "continue" in request.query else None

    fake.before = expired
    async with running(Cache(api, POD)) as _:
        assert fake.calls["LIST pods"] == 3


FAULTS = {
    "errors": lambda request: status(500, "InternalError"),
    "a busy server": lambda request: status(429, "TooManyRequests", retryAfterSeconds=0),
    "nonsense": lambda request: web.Response(body=b'{"type": "ADDED", "object": {}}\n'),
    "no JSON": lambda request: web.Response(body=b"<html>\n"),
}


@pytest.mark.parametrize("answer", FAULTS.values(), ids=FAULTS.keys())
async def test_a_cache_survives(
    fake: FakeServer, api: Api, answer: Callable[[web.Request], web.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.kube.client.sender._wait", lambda error, attempt: 0.0)
    monkeypatch.setattr("shared.kube.client.errors._seconds", lambda header, status: 0.0)
    left = 12

    async def before(request: web.Request) -> web.StreamResponse | None:
        nonlocal left
        left -= 1
        return answer(request) if left >= 0 else None

    fake.put(PODS, pod("a"))
    fake.before = before
    cache = Cache(api, POD)
    async with running(cache):
        await until(lambda: names(cache) == ["a"])


async def test_own_writes_are_visible_at_once_and_reported_once(fake: FakeServer, api: Api) -> None:
    cache = Cache(api, POD)
    log = Log(cache)
    async with running(cache):
        made = await api.create(POD, pod("mine"))
        cache.assume(made)
        assert names(cache) == ["mine"]
        fake.put(PODS, pod("other"))
        await until(lambda: names(cache) == ["mine", "other"])
        assert log.lines == ["+mine", "+other"]
        await api.delete(POD, "ns", "mine")
        cache.assume_deleted("ns", "mine", made["metadata"]["uid"])
        assert names(cache) == ["other"]


async def test_own_writes_outside_the_selector_are_not_cached(api: Api) -> None:
    cache = Cache(api, POD, label_selector="a=b", accepts=lambda body: "labels" in body["metadata"])
    cache.assume(pod("out", uid="1", resourceVersion="1"))
    cache.assume(pod("in", uid="2", resourceVersion="2", labels={"a": "b"}))
    assert names(cache) == ["in"]


async def test_a_failing_handler_does_not_stop_other_handlers_or_the_watch(fake: FakeServer, api: Api) -> None:
    cache = Cache(api, POD)

    def fail(old: Body | None, new: Body | None) -> None:
        raise RuntimeError("boom")

    cache.on_change(fail)
    log = Log(cache)
    async with running(cache):
        fake.put(PODS, pod("a"))
        await until(lambda: log.lines == ["+a"])


async def test_several_namespaces_are_watched_one_by_one(fake: FakeServer, api: Api) -> None:
    for namespace in ("one", "two", "three"):
        fake.put(PODS, pod("p", namespace))
    cache = Cache(api, POD, namespaces=("one", "two"))
    async with running(cache):
        assert sorted(key.namespace for key in cache) == ["one", "two"]
        fake.put(PODS, pod("q", "two"))
        fake.put(PODS, pod("q", "three"))
        await until(lambda: len(cache) == 3)


async def test_an_optional_kind_that_is_not_served_counts_as_empty_until_it_is(fake: FakeServer, api: Api) -> None:
    served = False

    async def before(request: web.Request) -> web.StreamResponse | None:
        return None if served else status(404, "NotFound", "the server could not find the requested resource")

    fake.before = before
    cache = Cache(api, JOBFLOWPOLICY, optional=True)
    async with running(cache):
        assert len(cache) == 0
        fake.put("/apis/policy.jobflow.dev/v1alpha1/jobflowpolicies", {"metadata": {"name": "p"}})
        served = True
        await until(lambda: len(cache) == 1)


async def test_a_cache_that_is_not_needed_yet_reads_nothing_and_holds_nobody_up(fake: FakeServer, api: Api) -> None:
    fake.put(PODS, pod("a"))
    needed = asyncio.Event()
    caches = Caches(api)
    pods = caches.want(POD, needed=needed)
    async with running(caches):
        assert (caches.unsynced(), len(pods), fake.calls["LIST pods"]) == ([], 0, 0)
        needed.set()
        assert caches.unsynced() == ["pods"]
        await until(lambda: names(pods) == ["a"])
        assert caches.unsynced() == []


async def test_caches_are_declared_once_per_kind_and_ready_together(fake: FakeServer, api: Api) -> None:
    fake.put(PODS, pod("a", labels={"x": "y"}))
    caches = Caches(api)
    pods = caches.want(POD)
    assert caches.want(POD, indexers={"label": lambda body: [*body["metadata"].get("labels", {})]}) is pods
    assert caches.unsynced() == ["pods"]
    async with running(caches):
        assert caches.unsynced() == []
        assert len(pods.by("label", "x")) == 1
        caches.assume(POD, pod("b", uid="9", resourceVersion="100000"))
        caches.assume(QUEUE, {"metadata": {"name": "not cached"}})
        assert names(pods) == ["a", "b"]
        caches.assume_deleted(POD, "ns", "b", "9")
        assert names(pods) == ["a"]


def test_conflicting_cache_declarations_are_an_error(api: Api) -> None:
    caches = Caches(api)
    caches.want(POD, label_selector="a=b")
    with pytest.raises(ValueError, match="different contents"):
        caches.want(POD)


async def test_a_silent_watch_is_opened_again(fake: FakeServer, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    original = api.watch
    monkeypatch.setattr(api, "watch", lambda *args, **kwargs: original(*args, **{**kwargs, "idle": 0.03}))
    cache = Cache(api, POD)
    async with running(cache):
        await until(lambda: fake.calls["WATCH pods"] > 2)
        fake.put(PODS, pod("a"))
        await until(lambda: names(cache) == ["a"])
        assert fake.calls["LIST pods"] == 1


async def test_bookmarks_advance_the_version_to_continue_from(fake: FakeServer, api: Api) -> None:
    asked: list[str] = []

    async def before(request: web.Request) -> web.StreamResponse | None:
        if "watch" not in request.query:
            return None
        asked.append(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(event("BOOKMARK", {"metadata": {"resourceVersion": "777"}}))
        return response

    fake.before = before
    async with running(Cache(api, POD)):
        await until(lambda: asked[1:2] == ["777"])


async def test_an_event_of_an_own_write_is_dropped_without_being_decoded(
    fake: FakeServer, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []

    def note(event: WatchEvent) -> Body:
        decoded.append(event.metadata.name)
        return whole(event)

    whole = WatchEvent.object.func
    monkeypatch.setattr(WatchEvent, "object", property(note))
    cache = Cache(api, POD)
    async with running(cache):
        await until(lambda: bool(fake.watching))
        cache.assume(await api.create(POD, pod("own")))
        fake.put(PODS, pod("other"))
        await until(lambda: names(cache) == ["other", "own"])
    assert decoded == ["other"]


async def test_after_an_event_without_a_version_it_lists_again(fake: FakeServer, api: Api) -> None:
    fake.put(PODS, pod("a"))
    cache = Cache(api, POD)
    async with running(cache):
        await until(lambda: bool(fake.watching))
        for response in fake.watching:
            await response.write(event("ADDED", pod("b")))
        await until(lambda: fake.calls["LIST pods"] == 2)
        assert names(cache) == ["a"]
