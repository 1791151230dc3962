import asyncio
import json
import logging
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from controller.cluster.apply import STORED
from controller.cluster.errors import NotLeader, StaleError
from controller.runtime import worker
from controller.runtime.worker import CURRENT_PASS, Worker
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kube.client.errors import Forbidden, Unavailable
from shared.kube.logs import JsonLines

A, B = Key("ns", "a"), Key("ns", "b")


class Script:
    """A reconciler whose result for each pass is set by the test."""

    def __init__(self, *steps: Callable[[], float | None]) -> None:
        self.steps = list(steps)
        self.passes: list[Key] = []
        self.current_pass: list[object] = []

    async def reconcile(self, key: Key) -> float | None:
        self.passes.append(key)
        self.current_pass.append(CURRENT_PASS.get())
        return self.steps.pop(0)() if self.steps else None


def fail(error: Exception) -> Callable[[], float | None]:
    def step() -> float | None:
        raise error

    return step


def again(seconds: float) -> Callable[[], float | None]:
    return lambda: seconds


async def work(queue: WorkQueue, script: Script, passes: int) -> None:
    """Run until so many passes were made and nothing is left."""
    running = asyncio.create_task(Worker(queue, script, uid_of=lambda key: "the-uid").run())
    async with asyncio.timeout(5):
        while len(script.passes) < passes:  # noqa: ASYNC110 - the script is no task to wait for
            await asyncio.sleep(0.001)
        queue.close()
        await running


def count(queue: WorkQueue, result: str) -> float:
    labels = {"controller": queue.name, "result": result}
    return REGISTRY.get_sample_value("controller_runtime_reconcile_total", labels) or 0.0


RESULTS = {
    "success": (lambda: None, "success", 1),
    "another look later": (again(0.001), "requeue_after", 2),
    "an unwell API server": (fail(Unavailable("down")), "error", 2),
    "a bug": (fail(ZeroDivisionError("bug")), "error", 2),
    "a stale view": (fail(StaleError("moved")), "requeue", 2),
    "a lost lease": (fail(NotLeader("lost")), "not_leader", 1),
}


@pytest.mark.parametrize(("step", "result", "passes"), RESULTS.values(), ids=RESULTS.keys())
async def test_a_pass_ends_in(step: Callable[[], float | None], result: str, passes: int) -> None:
    queue = WorkQueue(f"ends-{result}-{passes}-{id(step)}")
    script = Script(step)
    queue.add(A)
    await work(queue, script, passes)
    assert script.passes == [A] * passes
    assert count(queue, result) == 1
    assert script.current_pass[0] == (queue.name, A)
    assert queue.failures(A) == 0


def errors(queue: WorkQueue) -> tuple[float, ...]:
    labels = {"controller": queue.name}
    return tuple(
        REGISTRY.get_sample_value(f"controller_runtime_reconcile_{name}_total", labels) or 0.0
        for name in ("errors", "panics", "timeouts")
    )


async def test_a_key_is_processed_again_if_the_lease_was_not_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "NOT_LEADER_SECONDS", 0.001)
    queue = WorkQueue("late-renewal")
    script = Script(fail(NotLeader("lost")))
    queue.add(A)
    await work(queue, script, 2)
    assert script.passes == [A, A]


async def test_a_cancelled_pass_is_tried_again() -> None:
    queue = WorkQueue("cancelled-inside")
    passes: list[Key] = []

    class Waits:
        async def reconcile(self, key: Key) -> float | None:
            passes.append(key)
            if len(passes) == 1:
                other: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                other.cancel()
                await other
            queue.close()
            return None

    queue.add(A)
    async with asyncio.timeout(5):
        await Worker(queue, Waits()).run()
    assert passes == [A, A]


KINDS = {
    "an API error": (fail(Forbidden("no")), (1, 0, 0)),
    "a bug": (fail(KeyError("x")), (1, 1, 0)),
    "a stale view is none": (fail(StaleError("x")), (0, 0, 0)),
}


@pytest.mark.parametrize(("step", "want"), KINDS.values(), ids=KINDS.keys())
async def test_errors_are_counted_by_kind(step: Callable[[], float | None], want: tuple[int, ...]) -> None:
    queue = WorkQueue(f"counts-{id(step)}")
    queue.add(A)
    await work(queue, Script(step), 2)
    assert errors(queue) == want


async def test_a_pass_that_takes_too_long_is_cut_and_tried_again() -> None:
    queue = WorkQueue("slow")
    passes: list[Key] = []

    class Slow:
        async def reconcile(self, key: Key) -> float | None:
            passes.append(key)
            if len(passes) == 1:
                await asyncio.Event().wait()
            queue.close()
            return None

    queue.add(A)
    await Worker(queue, Slow(), pass_seconds=0.01).run()
    assert passes == [A, A]
    assert errors(queue) == (1, 0, 1)


async def test_keys_run_at_once_up_to_the_limit_and_never_one_key_twice() -> None:
    queue = WorkQueue("busy")
    running: list[Key] = []
    most = 0
    done = 0

    class Busy:
        async def reconcile(self, key: Key) -> float | None:
            nonlocal most, done
            assert key not in running
            running.append(key)
            most = max(most, len(running))
            queue.add(key) if done < 100 else queue.close()
            await asyncio.sleep(0.0005)
            running.remove(key)
            done += 1
            return None

    for index in range(10):
        queue.add(Key("ns", str(index)))
    await Worker(queue, Busy(), concurrency=4).run()
    assert most == 4


async def test_a_closed_queue_lets_the_keys_current_pass_finish() -> None:
    queue = WorkQueue("closing")
    release, finished = asyncio.Event(), []

    class Waits:
        async def reconcile(self, key: Key) -> float | None:
            await release.wait()
            finished.append(key)
            return None

    queue.add(A)
    running = asyncio.create_task(Worker(queue, Waits()).run())
    await asyncio.sleep(0.005)
    queue.add(B)
    queue.close()
    await asyncio.sleep(0.005)
    release.set()
    await running
    assert A in finished


async def test_cancelling_drops_the_keys_current_pass_at_once() -> None:
    queue = WorkQueue("cancelled")
    cancelled: list[Key] = []

    class Hangs:
        async def reconcile(self, key: Key) -> float | None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(key)
                raise
            return None

    queue.add(A)
    running = asyncio.create_task(Worker(queue, Hangs()).run())
    await asyncio.sleep(0.005)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cancelled == [A]
    queue.close()


async def test_a_failure_is_logged_as_a_json_line_that_names_the_object(caplog: pytest.LogCaptureFixture) -> None:
    queue = WorkQueue("logged")
    queue.add(A)
    with caplog.at_level(logging.WARNING):
        await work(queue, Script(fail(Forbidden("quota exceeded"))), 2)
    record = next(record for record in caplog.records if record.message == "reconcile failed")
    line = json.loads(JsonLines().format(record))
    assert (line["controller"], line["namespace"], line["name"], line["uid"]) == ("logged", "ns", "a", "the-uid")
    assert (line["level"], line["error"]) == ("warning", "quota exceeded")
    assert line["seconds"] >= 0


@pytest.mark.parametrize(("stores", "level"), [(True, "info"), (False, "debug")])
async def test_a_pass_that_stored_a_status_is_logged_with_its_duration(
    stores: bool, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue = WorkQueue("jobs")
    queue.add(A)

    def reconcile() -> None:
        if stores:
            STORED.set(True)

    with caplog.at_level(logging.DEBUG):
        await work(queue, Script(reconcile), 1)
    record = next(record for record in caplog.records if record.message == "reconciled")
    line = json.loads(JsonLines().format(record))
    assert (line["controller"], line["namespace"], line["name"], line["uid"]) == ("jobs", "ns", "a", "the-uid")
    assert line["level"] == level
    assert line["seconds"] >= 0
