"""At most one process leads, despite wrong clocks, pauses and lost responses."""

import asyncio
import itertools

import pytest

from controller.cluster.lease import LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS, LeaseLost
from tests.controller.cluster.leases import ElectionProcesses


@pytest.fixture
def processes() -> ElectionProcesses:
    return ElectionProcesses()


async def test_the_first_process_takes_the_lease_and_the_second_waits(processes: ElectionProcesses) -> None:
    a, b = processes.lease("a"), processes.lease("b")
    assert await a._try()
    assert not await b._try()
    assert (a.is_held(), b.is_held()) == (True, False)
    assert processes.store.spec["holderIdentity"] == "a"
    assert processes.store.spec["leaseDurationSeconds"] == LEASE_SECONDS
    assert processes.store.spec["leaseTransitions"] == 0


async def test_a_lease_of_a_dead_holder_is_taken_after_its_duration_by_our_own_clock(
    processes: ElectionProcesses,
) -> None:
    a, b = processes.lease("a"), processes.lease("b", skew=-100_000)
    await a._try()
    processes.now += 60
    assert not await b._try()  # b has only now begun to watch
    processes.now += LEASE_SECONDS - 0.1
    assert not await b._try()
    processes.now += 0.2
    assert await b._try()
    assert processes.store.spec["leaseTransitions"] == 1


@pytest.mark.parametrize("after_renewal", [0.0, 0.3, 0.6, 0.99])
async def test_a_standby_leads_at_most_9_seconds_after_the_leader_dies(
    processes: ElectionProcesses, monkeypatch: pytest.MonkeyPatch, after_renewal: float
) -> None:
    """The leader is killed at any moment between two renewals; the standby has watched the lease for a while."""
    a, b = processes.lease("a"), processes.lease("b", skew=100_000)
    dies_at = processes.now + 20 + after_renewal
    await a._try()
    renewed = processes.now

    async def sleep(seconds: float) -> None:
        nonlocal renewed
        end = processes.now + seconds
        while (due := renewed + RETRY_SECONDS) <= min(end, dies_at):
            processes.now = renewed = due
            await a._try()
        processes.now = end

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await b._acquire()
    assert b.is_held()
    assert not a.is_held()
    assert processes.now - dies_at <= LEASE_SECONDS + 0.6
    assert processes.now - renewed >= LEASE_SECONDS - RETRY_SECONDS


async def test_a_holder_that_renews_keeps_the_lease(processes: ElectionProcesses) -> None:
    a, b = processes.lease("a"), processes.lease("b", skew=100_000)
    for _ in range(20):
        assert await a._try()
        assert not await b._try()
        processes.now += RENEW_SECONDS - 0.5
    assert processes.store.spec["leaseTransitions"] == 0


@pytest.mark.parametrize("seconds", [(3.0,), (1.0, 3.0, 2.0, 3.0, 3.0), (0.0,)], ids=str)
async def test_a_slow_api_server_does_not_end_the_lease(
    processes: ElectionProcesses, monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, ...]
) -> None:
    """It answers each request so many seconds after its effect; another process watches."""
    a, b, renewals = processes.lease("a"), processes.lease("b", skew=100_000), 0
    answers = itertools.cycle(seconds)

    def answer() -> None:
        processes.now += next(answers)

    async def sleep(pause: float) -> None:
        nonlocal renewals
        renewals += 1
        processes.now += pause
        if renewals == 20:
            raise ZeroDivisionError
        processes.store.answer = lambda: None
        assert a.is_held()
        assert not await b._try()
        processes.store.answer = answer

    monkeypatch.setattr(asyncio, "sleep", sleep)
    processes.store.answer = answer
    assert await a._try()
    with pytest.raises(ZeroDivisionError):
        await a._renew()
    assert processes.store.spec["leaseTransitions"] == 0


async def test_a_renewal_is_one_request(processes: ElectionProcesses) -> None:
    a = processes.lease("a")
    await a._try()
    before = processes.store.requests
    for _ in range(5):
        assert await a._try()
    assert processes.store.requests == before + 5


async def test_the_lease_is_lost_at_the_renew_deadline_even_if_the_process_was_stopped(
    processes: ElectionProcesses,
) -> None:
    a = processes.lease("a")
    await a._try()
    processes.now += RENEW_SECONDS - 0.1
    assert a.is_held()
    processes.now += 0.2
    assert not a.is_held()


async def test_a_lost_response_does_not_count_as_holding_the_lease(processes: ElectionProcesses) -> None:
    a = processes.lease("a")
    processes.store.lose_answers = True
    assert not await a._try()
    assert not a.is_held()
    processes.store.lose_answers = False
    assert await a._try()


async def test_a_lease_taken_by_force_ends_holding_at_once(processes: ElectionProcesses) -> None:
    a = processes.lease("a")
    await a._try()
    processes.store.change({**processes.store.spec, "holderIdentity": "b"})
    assert not await a._try()
    assert not a.is_held()


@pytest.mark.parametrize("damage", ["deleted", "emptied", "without a holder"])
async def test_nobody_takes_a_lease_that_was_damaged_by_hand_while_its_holder_may_write(
    processes: ElectionProcesses, damage: str
) -> None:
    a, b = processes.lease("a"), processes.lease("b")
    await a._try()
    assert not await b._try()
    processes.now += 1
    await a._try()
    assert not await b._try()
    if damage == "deleted":
        processes.store.body = None
    else:
        processes.store.change({} if damage == "emptied" else {**processes.store.spec, "holderIdentity": ""})
    processes.now += 0.5
    assert a.is_held()
    assert not await b._try()
    assert await a._try()
    assert processes.store.spec["holderIdentity"] == "a"
    processes.now += LEASE_SECONDS + 1
    assert not await b._try()  # it has seen a renewal only now
    processes.store.body = None
    processes.now += LEASE_SECONDS + 1
    assert not a.is_held()
    assert await b._try()


async def test_a_mistyped_duration_does_not_stop_all_work(processes: ElectionProcesses) -> None:
    a = processes.lease("a")
    foreign = {"holderIdentity": "stranger", "leaseDurationSeconds": 360_000}
    processes.store._put({"metadata": {"name": "it", "namespace": "ns"}, "spec": foreign})
    assert not await a._try()
    processes.now += 14
    assert not await a._try()
    processes.now += 2
    assert await a._try()


async def test_fields_of_the_lease_written_by_others_are_kept(processes: ElectionProcesses) -> None:
    a = processes.lease("a")
    await a._try()
    processes.store.change({**processes.store.spec, "strategy": "x"})
    assert await a._try()
    assert processes.store.spec["strategy"] == "x"


async def test_a_leader_that_ends_releases_the_lease(processes: ElectionProcesses) -> None:
    a, b = processes.lease("a", retry_seconds=0.001), processes.lease("b")
    led: list[bool] = []

    async def lead() -> None:
        led.append(a.is_held())
        await asyncio.sleep(0.01)

    await a.run(lead)
    assert led == [True]
    assert not a.is_held()
    assert processes.store.spec["holderIdentity"] == ""
    assert await b._try()


async def test_a_lease_that_cannot_be_renewed_cancels_the_work(processes: ElectionProcesses) -> None:
    a = processes.lease("a", retry_seconds=0.001)
    cancelled: list[bool] = []

    async def lead() -> None:
        processes.store.unreachable = True
        processes.now += 10.1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(LeaseLost):
        await a.run(lead)
    assert cancelled == [True]
    assert processes.store.spec["holderIdentity"] == "a"  # a lease that another process may hold is not released


async def test_an_error_of_the_work_is_raised_and_the_lease_released(processes: ElectionProcesses) -> None:
    a = processes.lease("a", retry_seconds=0.001)

    async def lead() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await a.run(lead)
    assert processes.store.spec["holderIdentity"] == ""


async def test_being_cancelled_while_leading_releases_the_lease(processes: ElectionProcesses) -> None:
    a = processes.lease("a", retry_seconds=0.001)
    leads = asyncio.Event()

    async def lead() -> None:
        leads.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(a.run(lead))
    await leads.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert processes.store.spec["holderIdentity"] == ""
