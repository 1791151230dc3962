"""At most one process leads, in any order of attempts, delays, lost answers and damage."""

import asyncio

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.controller.cluster.leases import ElectionProcesses


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

    @rule(seconds=st.sampled_from([0.5, 1.4, 1.6, 2.0, 4.9, 6.4, 6.6, 7.9, 8.1, 14.9, 15.1]))
    def time_passes(self, seconds: float) -> None:
        self.processes.now += seconds

    @rule(who=st.integers(0, 2))
    def reads_and_is_stopped_before_it_writes(self, who: int) -> None:
        """The process is stopped (SIGSTOP) between reading and writing, while the other two run."""

        async def others_continue() -> None:
            self.processes.store.after_get = None
            await self._others_continue(who, 16)

        self.processes.store.after_get = others_continue
        self.tries(who)
        self.processes.store.after_get = None

    @rule(who=st.integers(0, 2), seconds=st.sampled_from([0.5, 3.0, 6.4, 6.6, 7.9, 8.1, 16.0]))
    def its_write_arrives_late(self, who: int, seconds: float) -> None:
        """Also a renewal, which the holder sends without reading."""

        async def others_continue() -> None:
            self.processes.store.before_write = None
            await self._others_continue(who, seconds)

        self.processes.store.before_write = others_continue
        self.tries(who)
        self.processes.store.before_write = None

    @rule(who=st.integers(0, 2), seconds=st.sampled_from([0.5, 3.0, 6.4, 6.6, 7.9, 8.1]))
    def answers_come_late(self, who: int, seconds: float) -> None:
        store = self.processes.store

        def late() -> None:
            self.processes.now += seconds

        store.answer = late
        self.tries(who)
        store.answer = lambda: None

    async def _others_continue(self, who: int, seconds: float) -> None:
        self.processes.now += seconds
        for other in self.leases:
            if other is not self.leases[who]:
                await other._try()
                self.at_most_one_leads()

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
