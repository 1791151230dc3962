import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from controller.cluster import events
from controller.cluster.errors import NotLeader
from controller.cluster.events import Recorder
from controller.decision import Note
from shared.kinds import JOBFLOW, QUEUE
from shared.kube.cache.cache import stopped
from shared.kube.client.api import Api
from tests.shared.kube.fake import FakeServer, status

PLACE = "/api/v1/events"
FLOW: dict[str, Any] = {"metadata": {"name": "f", "namespace": "ns", "uid": "u1", "resourceVersion": "7"}}


class Clock:
    now = 1_767_323_045.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def sending(recorder: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(recorder.run())
    try:
        yield
        await recorder.flush(5)
    finally:
        await stopped(task)


def stored(fake: FakeServer) -> list[dict[str, Any]]:
    return list(fake.objects.get(PLACE, {}).values())


def counted(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(metric, labels) or 0.0


@pytest.fixture
def recorder(api: Api) -> Recorder:
    return Recorder(api, "jobflow-controller", "host-1", now=Clock())


async def test_an_event_names_object_reason_and_component(fake: FakeServer, recorder: Recorder) -> None:
    async with sending(recorder):
        recorder.note(JOBFLOW, FLOW, Note("StepStarted", "step a started"))
    (event,) = stored(fake)
    assert event["involvedObject"] == {
        "apiVersion": "flow.volcano.sh/v1alpha1",
        "kind": "JobFlow",
        "name": "f",
        "namespace": "ns",
        "uid": "u1",
        "resourceVersion": "7",
    }
    assert (event["type"], event["reason"], event["message"]) == ("Normal", "StepStarted", "step a started")
    assert (event["source"]["component"], event["count"]) == ("jobflow-controller", 1)
    assert event["firstTimestamp"] == "2026-01-02T03:04:05Z"
    assert event["metadata"]["namespace"] == "ns"


async def test_repetitions_count_up_and_differences_do_not(fake: FakeServer, recorder: Recorder) -> None:
    async with sending(recorder):
        for message in ("again", "again", "other", "again"):
            recorder.note(JOBFLOW, FLOW, Note("Waiting", message))
    assert {event["message"]: event["count"] for event in stored(fake)} == {"again": 3, "other": 1}


async def test_a_counted_event_that_expired_is_created_again(fake: FakeServer, recorder: Recorder) -> None:
    async with sending(recorder):
        recorder.note(JOBFLOW, FLOW, Note("Waiting", "x"))
        await recorder.flush(5)
        fake.objects[PLACE].clear()
        recorder.note(JOBFLOW, FLOW, Note("Waiting", "x"))
    assert [event["count"] for event in stored(fake)] == [1]


async def test_one_object_may_have_25_events_of_a_reason_and_then_one_every_five_minutes(
    fake: FakeServer, api: Api
) -> None:
    clock = Clock()
    recorder = Recorder(api, "c", "h", now=clock)
    async with sending(recorder):
        for index in range(100):
            recorder.note(JOBFLOW, FLOW, Note("Busy", f"message {index}"))
        recorder.note(JOBFLOW, {"metadata": {"name": "g", "namespace": "ns", "uid": "u2"}}, Note("Quiet", "x"))
        await recorder.flush(5)
        assert len(stored(fake)) == 26
        clock.now += 301
        recorder.note(JOBFLOW, FLOW, Note("Busy", "later"))
        recorder.note(JOBFLOW, FLOW, Note("Busy", "and again"))
    assert len(stored(fake)) == 27


async def test_events_of_cluster_scoped_objects_live_in_default(fake: FakeServer, recorder: Recorder) -> None:
    async with sending(recorder):
        recorder.note(QUEUE, {"metadata": {"name": "q", "uid": "u"}}, Note("Closed", "x" * 5000))
    (event,) = stored(fake)
    assert event["metadata"]["namespace"] == "default"
    assert event["message"] == "x" * 1023 + "…"


@pytest.mark.parametrize(("code", "tries"), [(503, events.TRIES), (403, 1), (404, 1)])
async def test_an_event_that_cannot_be_sent_is_dropped(
    fake: FakeServer, recorder: Recorder, code: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "TRY_AGAIN_SECONDS", 0.0)
    seen = 0

    async def fail(request: web.Request) -> web.StreamResponse | None:
        nonlocal seen
        seen += 1
        return status(code, "x") if seen <= tries else None

    fake.before = fail
    async with sending(recorder):
        recorder.note(JOBFLOW, FLOW, Note("Lost", "x"))
        await recorder.flush(5)
        recorder.note(JOBFLOW, FLOW, Note("Sent", "x"))
    assert [event["reason"] for event in stored(fake)] == ["Sent"]


async def test_a_full_queue_never_blocks_and_what_it_dropped_is_counted_and_logged_once(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("jobflow_events_total", outcome="dropped")
    for index in range(events.WAITING + 10):
        recorder.note(JOBFLOW, {"metadata": {"name": "f", "uid": str(index)}}, Note("Flood", "x"))
    assert recorder._queue.unfinished == events.WAITING
    assert counted("jobflow_events_total", outcome="dropped") == before + 10
    (line,) = [record for record in caplog.records if record.message.startswith("events dropped")]
    assert line.__dict__["routine"] == 1
    assert line.__dict__["important"] == 0


async def test_an_important_event_does_not_wait_for_routine_ones(fake: FakeServer, recorder: Recorder) -> None:
    async with sending(recorder):
        for index in range(30):
            recorder.note(JOBFLOW, {"metadata": {"name": "f", "namespace": "ns", "uid": str(index)}}, Note("Busy", "x"))
        recorder.note(JOBFLOW, FLOW, Note("Failed", "x", "Warning"))
    assert "Failed" in [event["reason"] for event in stored(fake)][:3]


async def test_routine_events_do_not_use_up_what_an_object_may_have_of_others(
    fake: FakeServer, recorder: Recorder
) -> None:
    """A flow of many steps had no event about its end."""
    async with sending(recorder):
        for index in range(100):
            recorder.note(JOBFLOW, FLOW, Note("StepStarted", f"step {index} started"))
        recorder.note(JOBFLOW, FLOW, Note("Failed", "x", "Warning"))
    assert "Failed" in [event["reason"] for event in stored(fake)]


async def test_events_under_way_are_bounded_in_all_and_one_of_an_object(fake: FakeServer, recorder: Recorder) -> None:
    under_way: list[str] = []
    most = 0

    async def slow(request: web.Request) -> web.StreamResponse | None:
        nonlocal most
        uid = (await request.json())["involvedObject"]["uid"]
        assert uid not in under_way
        under_way.append(uid)
        most = max(most, len(under_way))
        await asyncio.sleep(0.001)
        under_way.remove(uid)
        return None

    fake.before = slow
    async with sending(recorder):
        for index in range(40):
            body = {"metadata": {"name": "f", "namespace": "ns", "uid": str(index % 8)}}
            recorder.note(JOBFLOW, body, Note("Failed", f"{index}", "Warning"))
    assert len(stored(fake)) == 40
    assert most == events.SENDERS


async def test_pauses_become_shorter_the_longer_events_have_waited(api: Api) -> None:
    clock = Clock()
    recorder = Recorder(api, "c", "h", now=clock)
    recorder.note(JOBFLOW, FLOW, Note("Busy", "x"))
    pending = recorder._queue.take(routine=True)
    assert pending is not None
    pauses = []
    for _ in range(3):
        pauses.append(recorder._pause(pending, 0.1))
        clock.now += events.MAX_DELAY / 2
    assert pauses == [pytest.approx(0.3), pytest.approx(0.15), 0.0]


async def test_an_event_whose_answer_was_lost_is_not_sent_twice(
    fake: FakeServer, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "TRY_AGAIN_SECONDS", 0.0)
    before = counted("jobflow_events_total", outcome="failed")
    answers = 0

    async def lose(request: web.Request) -> web.StreamResponse | None:
        nonlocal answers
        answers += 1
        return status(503, "the answer was lost") if answers == 1 else None

    fake.after = lose
    async with sending(recorder):
        recorder.note(JOBFLOW, FLOW, Note("Busy", "x"))
    assert [event["reason"] for event in stored(fake)] == ["Busy"]
    assert counted("jobflow_events_total", outcome="failed") == before


async def test_a_leader_without_lease_sends_no_events(
    fake: FakeServer, api: Api, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """Seen in the fault runs: a stack trace in the log although there was no fault."""

    def refuse() -> None:
        raise NotLeader("the lease is not held")

    api.before_write = refuse
    async with sending(recorder):
        recorder.note(JOBFLOW, FLOW, Note("StepStarted", "step a started"))
    assert stored(fake) == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
