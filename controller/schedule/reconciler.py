"""Observes, decides and applies for every kind that creates children at due times. Each kind brings its decision."""

from collections.abc import Callable, Mapping

import msgspec

from controller.context import ControllerContext
from controller.decision import Child, Decision, Refusal
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.schedule import metrics
from controller.schedule.clock import ScheduleClock
from controller.schedule.tally import ScheduleDecision
from shared.key import Key
from shared.kinds import Kind
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.timestamp import epoch_or_none

Decide = Callable[[Body, Mapping[Child, Refusal], float], Decision]
"""From a stored object, what was refused of it, and the time in epoch seconds. It may read caches."""


class ScheduleReconciler:
    """Drives the objects of one kind. Remembers what the API server refused, by object; that may be lost.

    `speed`: of the clock that the objects follow.
    """

    def __init__(
        self, kind: Kind, objects: Cache, context: ControllerContext, decide: Decide, *, speed: float = 1.0
    ) -> None:
        self._kind = kind
        self._objects = objects
        self._decide = decide
        self._speed = speed
        self._applier = context.applier
        self._clock = context.clock
        self._refusals = Refusals()

    async def reconcile(self, key: Key) -> float | None:
        """One pass; the seconds until the next due time or retry."""
        decision = Decision()

        def decide(refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
            nonlocal decision
            body = self._objects.get(*key)
            decision = Decision() if body is None else self._decided(body, refusals)
            return body or {}, decision

        if self._objects.get(*key) is None:
            self._refusals.forget(key)
            return None
        again = await decide_and_apply(self._applier, self._refusals, self._kind, key, decide)
        if isinstance(decision, ScheduleDecision):
            metrics.count(self._kind, decision.tally)
        return again

    def _decided(self, body: Body, refusals: Mapping[Child, Refusal]) -> Decision:
        now = self._clock()
        clock = ScheduleClock(epoch_or_none(body["metadata"].get("creationTimestamp")) or now, self._speed)
        decision = self._decide(body, clock.shown_refusals(refusals, now), clock.shown(now))
        return msgspec.structs.replace(decision, requeue_after=clock.real_wait(decision.requeue_after))
