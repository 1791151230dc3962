"""Carries out decisions about flows, and remembers what was done.

The status of a long flow takes the API server a fifth of a second to store. While that write is under way, steps that can
start get their Jobs: a decision whose status waits is nothing new, and the next pass makes up for all that is left out.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from controller.cluster.apply import Outcome
from controller.cluster.errors import NotLeader, StaleError
from controller.context import ControllerContext
from controller.decision import Create, Decision
from controller.jobflow import metrics
from controller.jobflow.decide.flow import FlowDecision
from controller.jobflow.observe.flow_cache import CachedFlow
from controller.jobflow.observe.flow_observer import FlowObserver
from controller.jobflow.observe.write_schedule import WriteSchedule
from shared.key import Key
from shared.kinds import JOBFLOW
from shared.kube.client.errors import ApiError
from shared.model.types import Body

LONG: Final = 50  # steps; the status of a shorter flow is stored about as fast as a Job is created

DecideLater = Callable[[Key, CachedFlow, float], FlowDecision]
"""A decision about a flow at a moment, in epoch seconds, whose status is written later unless it is urgent."""


class FlowDecisionWriter:
    """`schedule`: the limits on what is written; `changes(key)`: an event that is set whenever something has changed for the
    flow that is being reconciled."""

    def __init__(
        self,
        context: ControllerContext,
        observer: FlowObserver,
        changes: Callable[[Key], AbstractContextManager[asyncio.Event]],
        decide_later: DecideLater,
    ) -> None:
        self.schedule = WriteSchedule()
        self._applier = context.applier
        self._clock = context.clock
        self._observer = observer
        self._changes = changes
        self._decide_later = decide_later

    async def carry_out(
        self, key: Key, known: CachedFlow, body: Body, found: FlowDecision, observed_at: float
    ) -> tuple[Outcome, bool]:
        """Do what was decided about what was observed at `observed_at`, with the errors of `Applier.apply`.

        Also returns whether refused Jobs may be tried again at once. `known` learns of everything but refusals.
        """
        decision = self.schedule.limit_events(found.decision, self._clock())
        if len(known.plan.steps) > LONG and found.can_wait:
            first = await self._apply(body, msgspec.structs.replace(decision, status=None, notes=()))
            if not first.done:
                return first, False
            return await self._write_status(key, known, body, found, decision, observed_at)
        outcome = await self._apply(body, decision)
        if not outcome.done:
            return outcome, False
        try_again = known.decided(found, observed_at, self._clock())
        self._note_status(known, found, outcome.body, observed_at)
        return outcome, try_again

    async def _apply(self, body: Body, decision: Decision) -> Outcome:
        started = self._clock()
        outcome = await self._applier.apply(JOBFLOW, body, decision)
        if decision.actions or decision.status is not None:
            created = sum(isinstance(action, Create) for action in decision.actions if decision.status is None)
            self.schedule.record_latency(self._clock() - started, created)
        return outcome

    def _note_status(self, known: CachedFlow, found: FlowDecision, body: Body, observed_at: float) -> None:
        if found.decision.status is not None:
            metrics.count_changes(known.stored, found.next_status, self._clock())
            known.status_stored(found.next_status, body, observed_at, self._clock())

    # -- while a status is being written -------------------------------------------------------------------------------
    async def _write_status(
        self, key: Key, known: CachedFlow, body: Body, found: FlowDecision, decision: Decision, observed_at: float
    ) -> tuple[Outcome, bool]:
        """Write the status, and meanwhile create the Jobs of steps that can start."""
        before = known.flow, known.memo, known.deferred_since
        try_again = known.decided(found, observed_at, self._clock())
        over = asyncio.Event()
        with self._changes(key) as changed:
            creating = asyncio.create_task(self._create_meanwhile(key, known, changed, over))
            try:
                outcome = await self._apply(body, msgspec.structs.replace(decision, first=(), actions=()))
                await _end(creating, over, changed)
            except BaseException as fault:
                if isinstance(fault, asyncio.CancelledError):
                    creating.cancel()
                await _end(creating, over, changed)
                # Not stored: the next pass decides anew, with the Jobs that exist by then, and tells it again.
                known.flow, known.memo, known.deferred_since = before
                raise
        self._note_status(known, found, outcome.body, observed_at)
        creating.result()
        return outcome, try_again

    async def _create_meanwhile(self, key: Key, known: CachedFlow, changed: asyncio.Event, over: asyncio.Event) -> None:
        """Until `over`, decide after every change, and create Jobs where that is all there is to do.

        Everything else is left to the next pass, which every change causes in any case.
        """
        while True:
            await changed.wait()
            changed.clear()
            body = self._observer.flows.get(*key)
            if over.is_set() or body is None or not known.describes(body) or self._observer.commands.of(key):
                return
            now = self._clock()
            found = self._decide_later(key, known, now)
            if not found.only_creates:
                return
            if not found.decision.actions:
                continue
            try:
                outcome = await self._apply(body, self.schedule.limit_events(found.decision, now))
            except (ApiError, NotLeader, StaleError):
                return
            if not outcome.done:
                return
            known.decided(found, now, self._clock())


async def _end(creating: "asyncio.Task[None]", over: asyncio.Event, changed: asyncio.Event) -> None:
    """Let the creation under way finish, and no other one begin."""
    over.set()
    changed.set()
    await asyncio.wait([creating])
