"""The work queue: one entry a key, one worker a key, nothing lost, nothing starved."""

import asyncio

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.runtime.workqueue import FAIR_SHARE, KeyQueue, QueueLane, WorkQueue
from shared.key import Key

A, B, C = (Key("ns", name) for name in "abc")


def drain(keys: KeyQueue) -> list[Key]:
    taken = []
    while (key := keys.take()) is not None:
        taken.append(key)
    return taken


def test_keys_come_in_the_order_they_were_added_and_once() -> None:
    keys = KeyQueue()
    assert [keys.add(key) for key in (A, B, A, C, B)] == [True, True, False, True, False]
    assert drain(keys) == [A, B, C]


def test_a_key_added_during_its_processing_is_processed_again() -> None:
    keys = KeyQueue()
    keys.add(A)
    assert keys.take() == A
    assert keys.add(A)
    assert keys.take() is None
    assert keys.done(A)
    assert keys.take() == A
    assert not keys.done(A)


def test_background_keys_yield_to_urgent_ones_but_get_their_share() -> None:
    keys = KeyQueue()
    keys.add(A, QueueLane.BACKGROUND)
    urgent = [Key("ns", f"u{index}") for index in range(FAIR_SHARE + 3)]
    for key in urgent:
        keys.add(key)
    assert drain(keys) == [*urgent[:FAIR_SHARE], A, *urgent[FAIR_SHARE:]]


def test_new_keys_come_before_changes_which_get_their_share_too() -> None:
    keys = KeyQueue()
    keys.add(B, QueueLane.BACKGROUND)
    keys.add(A)
    new = [Key("ns", f"n{index}") for index in range(FAIR_SHARE + 3)]
    for key in new:
        keys.add(key, QueueLane.NEW)
    assert drain(keys) == [*new[:FAIR_SHARE], B, A, *new[FAIR_SHARE:]]


def test_a_changed_key_that_is_new_after_all_is_processed_once_and_first() -> None:
    keys = KeyQueue()
    for key in (A, B):
        keys.add(key)
    assert not keys.add(B, QueueLane.NEW)
    assert drain(keys) == [B, A]


def test_a_background_key_that_becomes_urgent_is_processed_once_and_soon() -> None:
    keys = KeyQueue()
    for key in (A, B, C):
        keys.add(key, QueueLane.BACKGROUND)
    assert not keys.add(C)
    assert not keys.add(C, QueueLane.BACKGROUND)
    assert drain(keys) == [C, A, B]


def test_a_delayed_key_is_due_at_the_earliest_requested_time() -> None:
    keys = KeyQueue()
    for at in (30.0, 10.0, 20.0):
        keys.add_at(A, at)
    keys.add_at(B, 15.0)
    assert keys.next_due() == 10.0
    assert keys.pop_due(9.9) == []
    assert keys.pop_due(15.0) == [A, B]
    assert keys.next_due() is None
    assert keys.pop_due(100.0) == []


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_back_off_doubles_from_5_ms_to_1000_s_until_forgotten() -> None:
    async def body() -> None:
        queue = WorkQueue("test", clock=Clock())
        pauses = [queue.add_failed(A) for _ in range(20)]
        assert pauses[:4] == [0.005, 0.01, 0.02, 0.04]
        assert pauses[-1] == 1000.0
        assert queue.failures(A) == 20
        queue.forget(A)
        assert queue.add_failed(A) == 0.005
        queue.close()

    asyncio.run(body())


async def test_get_waits_for_a_key_and_ends_when_closed() -> None:
    queue = WorkQueue("test")
    getting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add(A)
    assert await getting == A
    getting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.close()
    assert await getting is None
    queue.add(B)
    queue.add_after(B, 1)
    assert len(queue) == 0


async def test_new_keys_come_first_also_when_they_were_delayed() -> None:
    queue = WorkQueue("test", is_new=lambda key: key == C)
    queue.add_after(C, 0.001)
    await asyncio.sleep(0.01)
    queue.add(A)
    queue.add(C, urgent=False)
    queue.add(B)
    assert [await queue.get() for _ in range(3)] == [C, A, B]
    queue.close()


async def test_delayed_keys_come_when_due() -> None:
    queue = WorkQueue("test")
    queue.add_after(B, 0.02)
    queue.add_after(A, 0.01)
    queue.add_after(C, 0)
    assert [await queue.get() for _ in range(3)] == [C, A, B]
    queue.close()


class Workers(RuleBasedStateMachine):
    """Any interleaving of adding, delaying, taking and finishing."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = KeyQueue()
        self.now = 0.0
        self.wanted: set[Key] = set()  # added and not taken since
        self.delayed: dict[Key, float] = {}
        self.working: list[Key] = []
        self.waits: dict[Key, int] = {}

    keys = st.sampled_from([Key("ns", name) for name in "abcdef"])

    @rule(key=keys, lane=st.sampled_from(QueueLane))
    def add(self, key: Key, lane: QueueLane) -> None:
        assert self.queue.add(key, lane) is (key not in self.wanted)
        self.wanted.add(key)

    @rule(key=keys, seconds=st.integers(1, 5))
    def delay(self, key: Key, seconds: int) -> None:
        at = self.now + seconds
        self.queue.add_at(key, at)
        self.delayed[key] = min(at, self.delayed.get(key, at))

    @rule(seconds=st.integers(0, 3))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        due_keys = self.queue.pop_due(self.now)
        assert sorted(due_keys) == sorted(key for key, at in self.delayed.items() if at <= self.now)
        for key in due_keys:
            del self.delayed[key]
            self.add(key, QueueLane.CHANGED)

    @rule()
    def take(self) -> None:
        free = {key for key in self.wanted if key not in self.working}
        key = self.queue.take()
        if key is None:
            assert not free
            return
        assert key in free
        assert key not in self.working
        self.wanted.remove(key)
        self.working.append(key)
        self.waits.pop(key, None)
        for other in free - {key}:
            self.waits[other] = self.waits.get(other, 0) + 1
            assert self.waits[other] <= 6 * (FAIR_SHARE + 2)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.working))
        self.working.remove(key)
        assert self.queue.done(key) is (key in self.wanted)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.queue.depth == sum(key not in self.working for key in self.wanted)
        assert self.queue.processing == len(self.working)
        assert self.queue.next_due() == min(self.delayed.values(), default=None)

    def teardown(self) -> None:
        for key in self.working:
            self.queue.done(key)
        assert sorted(drain(self.queue)) == sorted(self.wanted)


TestWorkers = Workers.TestCase


@pytest.mark.parametrize("name", ["depth", "unfinished_work_seconds", "longest_running_processor_seconds"])
async def test_gauges_follow_the_queue(name: str) -> None:
    from prometheus_client import REGISTRY

    clock = Clock()
    queue = WorkQueue("gauged", clock=clock)
    queue.add(A)
    queue.add(B)
    await queue.get()
    clock.now = 7.0
    want = {"depth": 1, "unfinished_work_seconds": 7, "longest_running_processor_seconds": 7}
    assert REGISTRY.get_sample_value(f"workqueue_{name}", {"name": "gauged"}) == want[name]
