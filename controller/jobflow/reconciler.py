"""The JobFlow controller: observes a flow, decides, and has the decision carried out.

This is the only module of the folder that the rest of the controller imports. One call of `reconcile` handles one flow;
the work queue makes sure that no two calls handle the same flow at once.
"""

from collections.abc import Callable, Iterable
from typing import Final

from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.decision import Create, Decision, Refusal
from controller.jobflow import metrics
from controller.jobflow.decide.flow import FlowDecision, decide
from controller.jobflow.observe.child_cache import queue_state
from controller.jobflow.observe.flow_cache import CachedFlow, FlowCache
from controller.jobflow.observe.flow_observer import FlowObserver
from controller.jobflow.observe.indexes import FOR_APPROVAL, FOR_QUEUE, USES, USES_FLOW, WAITS
from controller.jobflow.observe.parents import below, is_suspended
from controller.jobflow.observe.prober import Prober
from controller.jobflow.observe.write_schedule import WriteSchedule
from shared.key import Key
from shared.kinds import JOBFLOW
from shared.model.types import Body

ROUNDS: Final = 12
REFUSED_ROUNDS: Final = 6  # after so many with refusals nothing else is created in this pass


class FlowReconciler:
    """Drives all JobFlows. `wake(key)`: have a flow reconciled again; `observer`: the caches, which routes watch."""

    def __init__(self, context: ControllerContext, wake: Callable[[Key], None]) -> None:
        self.observer = FlowObserver(context)
        self._context = context
        self._clock: Callable[[], float] = context.clock
        self._prober = Prober(
            self.observer.pods.addresses,
            wake,
            limit=context.settings.probe_concurrency,
            allow_loopback=context.settings.probe_allow_loopback,
        )
        self._flow_cache = FlowCache()
        self._schedule = WriteSchedule()

    def flows_of_template(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The flows to reconcile when a JobTemplate changes: those that use it, when it has just appeared."""
        if new is None or old is not None:
            return ()
        metadata = new["metadata"]
        return self.observer.flows.keys_by(USES, str(Key(metadata.get("namespace", ""), metadata["name"])))

    def flows_of_flow_template(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The flows to reconcile when a JobFlowTemplate appears: those with a step that runs it."""
        if new is None or old is not None:
            return ()
        metadata = new["metadata"]
        return self.observer.flows.keys_by(USES_FLOW, str(Key(metadata.get("namespace", ""), metadata["name"])))

    def flows_below(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The flows to reconcile when a flow is suspended or resumed: those below it, which it holds."""
        if new is None or is_suspended(old) == is_suspended(new):
            return ()
        return tuple(below(self.observer.flows, new))

    def flows_that_ask(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The flows to reconcile when approvals begin or cease to count: those that wait for one."""
        return tuple(self.observer.flows.keys_by(WAITS, FOR_APPROVAL))

    def flows_of_queue(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The flows to reconcile when a queue appears or changes its state: those with steps that may wait for it.

        Their rejected Jobs are tried again at once.
        """
        if new is None or (old is not None and queue_state(old) == queue_state(new)):
            return ()
        waiting = self.observer.flows.keys_by(WAITS, FOR_QUEUE)
        for key in waiting:
            self._flow_cache.try_again(key)
        return waiting

    async def reconcile(self, key: Key) -> float | None:
        """Bring one flow up to date; the seconds after which to look again, None for not before something changes."""
        observer = self.observer
        await observer.commands.catch_up(observer.flows, key)
        refused = 0
        refused_before: Refusal | None = None
        for _ in range(ROUNDS):
            body = observer.flows.get(*key)
            known = self._flow_cache.recall(key, body) if body is not None else None
            if body is None or known is None:
                self._forget(key)
                return None
            now = self._clock()
            found = self._decide(key, known, now, refused_before)
            if found.reads:
                await observer.read(key, known, found.reads)
                continue
            decision = self._schedule.limit_events(found.decision, self._clock())
            started = self._clock()
            outcome = await self._context.applier.apply(JOBFLOW, body, decision)
            if decision.actions or decision.status is not None:
                created = sum(isinstance(action, Create) for action in decision.actions if decision.status is None)
                self._schedule.record_latency(self._clock() - started, created)
            if outcome.done:
                return self._done(key, known, found, decision, outcome.body, now)
            known.add_refusals(outcome.refusals)
            refused += 1
            if refused >= REFUSED_ROUNDS:
                refused_before = next(iter(outcome.refusals.values()))
        raise StaleError(f"JobFlow {key}: the API server refused {ROUNDS} decisions in a row")

    def _decide(self, key: Key, known: CachedFlow, now: float, refused_before: Refusal | None) -> FlowDecision:
        write_after = self._schedule.write_after(known, now)
        observed = self.observer.observe(
            key,
            known,
            now,
            refused_before=refused_before,
            probes=self._prober.results(key),
            write_after=write_after,
            settle_until=self._schedule.settle_until(known, now),
            most_jobs=self._schedule.most_jobs(known, now),
        )
        return decide(observed, known.plan, known.memo)

    def _done(
        self, key: Key, known: CachedFlow, found: FlowDecision, decision: Decision, stored: Body, observed_at: float
    ) -> float | None:
        """Remember what was decided and done; the seconds after which to look again."""
        if decision.status is not None:
            metrics.count_changes(known.stored, found.next_status, self._clock())
        retry_refused = known.carried_out(stored, found, observed_at, self._clock())
        self._prober.want(key, found.probes)
        # A flow whose status write is deferred stays: forgotten, it would reserve a later moment again and again.
        if found.over and known.is_stored:
            self._forget(key)
        for idle in self._flow_cache.surplus():
            self._forget(idle, probing=True)
        flow_changed = any(one.kind is JOBFLOW for one in decision.actions if not isinstance(one, Create))
        if retry_refused or flow_changed or self._found_existing(known, decision):
            return 0.0
        return decision.requeue_after

    def _found_existing(self, known: CachedFlow, decision: Decision) -> bool:
        """Whether a Job that was to be created exists already and has a status to be recorded."""
        created = [action.body["metadata"]["name"] for action in decision.actions if isinstance(action, Create)]
        if not created:
            return False  # the flow may have ended and been forgotten: its children must not be loaded again
        jobs = self.observer.jobs.of(known.flow.metadata.uid)
        return any((job := jobs.get(name)) is not None and job.phase is not None for name in created)

    def _forget(self, key: Key, *, probing: bool = False) -> None:
        """Drop what is remembered of a flow. `probing`: its probes continue."""
        self.observer.jobs.drop(self._flow_cache.forget(key))
        if not probing:
            self._prober.want(key, ())
