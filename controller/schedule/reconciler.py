"""Observes, decides and applies for every kind that creates children at due times. Each kind brings its decision."""

from collections.abc import Callable, Mapping

from controller.context import ControllerContext
from controller.decision import Child, Decision, Refusal
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.schedule import metrics
from controller.schedule.tally import ScheduleDecision
from shared.key import Key
from shared.kinds import Kind
from shared.kube.cache.cache import Cache
from shared.model.types import Body

Decide = Callable[[Body, Mapping[Child, Refusal], float], Decision]
"""From a stored object, what was refused of it, and the time in epoch seconds. It may read caches."""


class ScheduleReconciler:
    """Drives the objects of one kind. Remembers what the API server refused, by object; that may be lost."""

    def __init__(self, kind: Kind, objects: Cache, context: ControllerContext, decide: Decide) -> None:
        self._kind = kind
        self._objects = objects
        self._decide = decide
        self._applier = context.applier
        self._clock = context.clock
        self._refusals = Refusals()

    async def reconcile(self, key: Key) -> float | None:
        """One pass; the seconds until the next due time or retry."""
        decision = Decision()

        def decide(refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
            nonlocal decision
            body = self._objects.get(*key)
            decision = Decision() if body is None else self._decide(body, refusals, self._clock())
            return body or {}, decision

        if self._objects.get(*key) is None:
            self._refusals.forget(key)
            return None
        again = await decide_and_apply(self._applier, self._refusals, self._kind, key, decide)
        if isinstance(decision, ScheduleDecision):
            metrics.count(self._kind, decision.tally)
        return again
