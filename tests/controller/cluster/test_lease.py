"""At most one process leads, despite wrong clocks, pauses and lost responses."""

import asyncio
import copy
import itertools
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.cluster.lease import LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS, Lease, LeaseLost
from shared.kinds import Kind
from shared.kube.client.errors import AlreadyExists, Conflict, NotFound, Timeout
from shared.model.types import Body


class LeaseStore:
    """A Lease in an API server, with optimistic locking and faults."""

    def __init__(self) -> None:
        self.body: Body | None = None
        self.version = 0
        self.unreachable = False
        self.lose_answers = False
        self.answer: Callable[[], None] = lambda: None  # called between a request's effect and its response
        self.requests = 0
        self.after_get: Callable[[], Awaitable[None]] | None = None

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        self._fail()
        if self.body is None:
            raise NotFound("no lease")
        found = copy.deepcopy(self.body)
        if self.after_get is not None:
            await self.after_get()
        self.answer()
        return found

    async def create(self, kind: Kind, body: Body) -> Body:
        self._fail()
        if self.body is not None:
            raise AlreadyExists("there is one")
        return self._put(body)

    async def replace(self, kind: Kind, body: Body) -> Body:
        self._fail()
        if self.body is None:
            raise NotFound("no lease")
        if body["metadata"]["resourceVersion"] != self.body["metadata"]["resourceVersion"]:
            raise Conflict("changed")
        return self._put(body)

    def _put(self, body: Body) -> Body:
        self.version += 1
        self.body = copy.deepcopy(body)
        self.body["metadata"]["resourceVersion"] = str(self.version)
        self.answer()
        if self.lose_answers:
            raise Timeout("the answer was lost")
        return copy.deepcopy(self.body)

    def change(self, spec: Body) -> None:
        """Replace the record, as somebody else does."""
        assert self.body is not None
        self.version += 1
        metadata = {**self.body["metadata"], "resourceVersion": str(self.version)}
        self.body = {**self.body, "metadata": metadata, "spec": spec}

    def _fail(self) -> None:
        self.requests += 1
        if self.unreachable:
            raise Timeout("unreachable")

    @property
    def spec(self) -> Body:
        assert self.body is not None
        return dict(self.body["spec"])


class ElectionProcesses:
    """One monotonic clock for all processes, each with a wall clock of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.store = LeaseStore()

    def lease(self, identity: str, skew: float = 0.0, **kwargs: float) -> Lease:
        return Lease(
            self.store,
            "ns",
            "it",
            identity,
            clock=lambda: self.now,
            now=lambda: 1_700_000_000.0 + self.now + skew,
            **kwargs,
        )


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


class Election(RuleBasedStateMachine):
    """Three processes that try at any time, sleep for any time, and lose answers."""

    def __init__(self) -> None:
        super().__init__()
        self.processes = ElectionProcesses()
        self.leases = [self.processes.lease(name, skew) for name, skew in (("a", 0), ("b", 5e4), ("c", -5e4))]

    @rule(who=st.integers(0, 2))
    def tries(self, who: int) -> None:
        asyncio.run(self._try(who))

    async def _try(self, who: int) -> None:
        await self.leases[who]._try()

    @rule(who=st.integers(0, 2))
    def tries_and_loses_the_answer(self, who: int) -> None:
        self.processes.store.lose_answers = True
        self.tries(who)
        self.processes.store.lose_answers = False

    @rule(seconds=st.sampled_from([0.5, 2.0, 4.9, 5.1, 9.9, 10.1, 14.9, 15.1]))
    def time_passes(self, seconds: float) -> None:
        self.processes.now += seconds

    @rule(who=st.integers(0, 2))
    def reads_and_is_stopped_before_it_writes(self, who: int) -> None:
        """The process is stopped (SIGSTOP) between reading and writing, while the other two run."""
        lease, store = self.leases[who], self.processes.store

        async def others_continue() -> None:
            store.after_get = None
            self.processes.now += 16
            for other in self.leases:
                if other is not lease:
                    await other._try()

        store.after_get = others_continue
        self.tries(who)
        store.after_get = None

    @precondition(lambda self: self.all_have_seen_it())
    @rule(damage=st.sampled_from(["deleted", "emptied", "without a holder"]))
    def somebody_damages_the_lease(self, damage: str) -> None:
        """After all processes have read it: one that has not seen a record cannot keep to it."""
        store = self.processes.store
        assert store.body is not None
        if damage == "deleted":
            store.body = None
        else:
            store.change({} if damage == "emptied" else {**store.spec, "holderIdentity": ""})

    def all_have_seen_it(self) -> bool:
        seen = [lease._observed.record for lease in self.leases if lease._observed is not None]
        body = self.processes.store.body
        return body is not None and len(seen) == 3 and all(record == body["spec"] for record in seen)

    @invariant()
    def at_most_one_leads(self) -> None:
        assert sum(lease.is_held() for lease in self.leases) <= 1


TestElection = Election.TestCase
