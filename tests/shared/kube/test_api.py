import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from shared.kinds import JOB, POD
from shared.kube.client import errors
from shared.kube.client.api import Api
from shared.kube.client.connect import plain
from shared.kube.client.limits import Bucket
from shared.kube.client.transport import Transport
from tests.shared.kube.fake import FakeServer, event, json, reset, status

PODS = "/api/v1/pods"


def pod(name: str, **metadata: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "ns", **metadata}}


def times(
    count: int, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> Callable[..., Awaitable[object]]:
    """Answers the first `count` requests with `answer` and passes later ones on."""
    left = count

    async def before(request: web.Request) -> web.StreamResponse | None:
        nonlocal left
        left -= 1
        return await answer(request) if left >= 0 else None

    return before


def always(code: int, reason: str = "") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return status(code, reason)

    return answer


async def test_objects_are_created_read_changed_and_deleted(api: Api) -> None:
    made = await api.create(POD, pod("p"))
    assert await api.get(POD, "ns", "p") == made
    written = await api.replace_status(POD, {**made, "status": {"phase": "Running"}})
    assert written["status"] == {"phase": "Running"}
    patched = await api.patch(POD, "ns", "p", {"metadata": {"labels": {"a": "b"}}})
    assert patched["metadata"]["labels"] == {"a": "b"}
    assert (await api.delete(POD, "ns", "p", uid=made["metadata"]["uid"]))["status"] == "Success"
    with pytest.raises(errors.NotFound):
        await api.get(POD, "ns", "p")


async def test_a_list_is_read_page_by_page_and_its_items_name_their_kind(api: Api, fake: FakeServer) -> None:
    for index in range(7):
        fake.put(PODS, {"metadata": {"name": f"p{index}", "namespace": "ns"}})
    items = [item async for item in api.list(POD, limit=3)]
    assert [item["metadata"]["name"] for item in items] == [f"p{index}" for index in range(7)]
    assert {(item["apiVersion"], item["kind"]) for item in items} == {("v1", "Pod")}
    assert fake.calls["LIST pods"] == 3


RETRIED = {
    "a read after a server error": (always(500), "get", 2),
    "a read after a lost answer": (reset, "get", 2),
    "a read of a busy server": (always(429), "get", 2),
    "a write that a busy server did not carry out": (always(429), "create", 2),
}
NOT_RETRIED = {
    "a write after a server error": (always(500), "create", errors.Unavailable),
    "a write after a lost answer": (reset, "create", errors.ConnectionLost),
    "a write after a timeout of the server": (always(504), "create", errors.Timeout),
    "a read that is forbidden": (always(403), "get", errors.Forbidden),
}


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.kube.client.sender._wait", lambda error, attempt: 0.0)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("fault", "verb", "count"), RETRIED.values(), ids=RETRIED.keys())
async def test_sent_again(api: Api, fake: FakeServer, fault: Callable, verb: str, count: int) -> None:
    fake.put(PODS, pod("p"))
    fake.before = times(1, fault)
    body = await (api.get(POD, "ns", "p") if verb == "get" else api.create(POD, pod("q")))
    assert body["kind"] == "Pod"
    assert sum(fake.calls.values()) == count


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("fault", "verb", "family"), NOT_RETRIED.values(), ids=NOT_RETRIED.keys())
async def test_not_sent_again(api: Api, fake: FakeServer, fault: Callable, verb: str, family: type) -> None:
    fake.before = times(1, fault)
    with pytest.raises(family):
        await (api.get(POD, "ns", "p") if verb == "get" else api.create(POD, pod("q")))
    assert sum(fake.calls.values()) == 1


@pytest.mark.usefixtures("no_waiting")
async def test_a_read_is_retried_a_limited_number_of_times(api: Api, fake: FakeServer) -> None:
    fake.before = times(1000, always(503))
    with pytest.raises(errors.Unavailable):
        await api.get(POD, "ns", "p")
    assert 1 < sum(fake.calls.values()) < 10


@pytest.mark.usefixtures("no_waiting")
async def test_a_server_that_does_not_listen_is_unreachable() -> None:
    async with Api(Transport(plain("http://127.0.0.1:1"))) as api:
        with pytest.raises(errors.Unreachable):
            await api.create(POD, pod("p"))


async def test_large_bodies_share_two_connections(fake: FakeServer, api: Api) -> None:
    used: dict[bool, set[object]] = {True: set(), False: set()}

    async def note(request: web.Request) -> web.StreamResponse | None:
        body = await request.read()
        used[len(body) > 2**15].add(request.get_extra_info("peername"))
        return None

    fake.before = note
    large = {"text": "x" * 2**16}
    await asyncio.gather(*(api.create(POD, {**pod(f"large-{index}"), "spec": large}) for index in range(8)))
    await asyncio.gather(*(api.create(POD, pod(f"small-{index}")) for index in range(8)))
    assert len(used[True]) <= 2
    assert not used[True] & used[False]


async def test_no_answer_in_time_is_a_timeout(fake: FakeServer, api: Api) -> None:
    release = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse | None:
        await release.wait()
        return None

    fake.before = hang
    api._sender._timeout = 0.05
    with pytest.raises(errors.Timeout):
        await api.create(POD, pod("p"))
    release.set()


async def test_refused_credentials_are_reloaded_once(
    fake: FakeServer, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[bool] = []

    async def renew() -> None:
        renewed.append(True)

    monkeypatch.setattr(api._sender.transport, "renew", renew)
    fake.put(PODS, pod("p"))
    fake.before = times(1, always(401))
    assert (await api.get(POD, "ns", "p"))["kind"] == "Pod"
    fake.before = times(9, always(401))
    with pytest.raises(errors.Unauthorized):
        await api.get(POD, "ns", "p")
    assert len(renewed) == 2


async def test_a_watch_delivers_changes_bookmarks_and_ends_with_the_server(fake: FakeServer, api: Api) -> None:
    bodies = [
        ("ADDED", pod("a")),
        ("BOOKMARK", {"metadata": {"resourceVersion": "9"}}),
        ("DELETED", pod("a" * 700_000)),
    ]

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for kind, body in bodies:
            await response.write(event(kind, body))
        return response

    fake.before = stream
    got = [(change.type, change.object) async for change in api.watch(POD, resource_version="1")]
    assert got == bodies


EXPIRED = {"in the stream": (200, 410), "as the answer": (410, 410)}


@pytest.mark.parametrize(("code", "inner"), EXPIRED.values(), ids=EXPIRED.keys())
async def test_an_expired_version_is_gone(fake: FakeServer, api: Api, code: int, inner: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        error = {"kind": "Status", "code": inner, "reason": "Expired"}
        return web.Response(body=event("ERROR", error)) if code == 200 else status(410, "Expired")

    fake.before = answer
    with pytest.raises(errors.Gone):
        [change async for change in api.watch(POD, resource_version="1")]


async def test_a_watch_on_a_half_open_connection_ends(fake: FakeServer, api: Api) -> None:
    with pytest.raises(errors.Timeout):
        [change async for change in api.watch(POD, resource_version="100", idle=0.05)]


async def test_get_path_returns_json_or_text(fake: FakeServer, api: Api) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok") if request.path == "/healthz" else json({"major": "1"})

    fake.before = answer
    assert await api.get_path("/healthz") == "ok"
    assert await api.get_path("/version") == {"major": "1"}


async def test_a_delete_says_whether_the_object_is_still_there(fake: FakeServer, api: Api) -> None:
    fake.put(
        "/apis/batch.volcano.sh/v1alpha1/jobs", {"metadata": {"name": "j", "namespace": "ns", "finalizers": ["f"]}}
    )
    assert (await api.delete(JOB, "ns", "j"))["metadata"]["deletionTimestamp"]


async def test_the_clients_own_rate_limit_spreads_requests(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    bucket = Bucket(10, burst=2, clock=lambda: now)
    assert [round(bucket.reserve(), 6) for _ in range(4)] == [0.0, 0.0, 0.1, 0.2]
    now = 10.0
    assert bucket.reserve() == 0.0


def test_setting_the_clock_back_removes_no_tokens() -> None:
    now = 5000.0
    bucket = Bucket(1, burst=2, clock=lambda: now)
    now = 1400.0
    assert [bucket.try_take() for _ in range(3)] == [True, True, False]
    now = 1401.0
    assert bucket.try_take()
    now = 0.0
    assert bucket.reserve() == 1.0
