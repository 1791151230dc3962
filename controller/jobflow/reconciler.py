"""The JobFlow controller: joins observing, deciding and applying (controller.jobflow decides)."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from controller.cluster.apply import Applier
from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.decision import Create, Decision, Refusal
from controller.jobflow import metrics
from controller.jobflow.decide.flow import FlowDecision, decide
from controller.jobflow.decide.migrate import finished_by_volcano
from controller.jobflow.observe.job_cache import FlowJobs, Namesakes, Templates
from controller.jobflow.observe.memory import Memory, Remembered
from controller.jobflow.observe.observed import CommandSeen, FlowSeen
from controller.jobflow.observe.pod_lookup import FlowPods
from controller.jobflow.observe.probes import Prober
from controller.jobflow.status.event_messages import STEP_NOTES
from controller.owner_references import by_controller_uid
from controller.runtime.command_targets import TargetedCommands
from controller.runtime.controller import Controller, Route
from controller.runtime.rate_limit import BURST, EVENT_BURST, EVENT_RATE, FOLLOW_UP_DELAY, RATE, RateLimiter, interval
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE
from shared.kube.cache.cache import Cache, Caches
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
USES: Final = "uses-template"
ROUNDS: Final = 12
REFUSED_ROUNDS: Final = 6  # after so many with refusals nothing else is created in this pass


def index_by_template(flow: Body) -> Iterator[str]:
    """The JobTemplates that an unfinished flow uses, as NAMESPACE/NAME."""
    if (flow.get("status") or {}).get("completionTime"):
        return
    spec = flow.get("spec") or {}
    for step in (*(spec.get("flows") or ()), *(spec.get("finally") or ())):
        name = step.get("template") or step.get("name")
        if name:
            yield str(Key(flow["metadata"].get("namespace", ""), name))


class FlowReconciler:
    def __init__(self, context: ControllerContext, queue: WorkQueue) -> None:
        caches = context.caches
        self.flows: Cache = caches.want(JOBFLOW, indexers={USES: index_by_template})
        self.templates: Cache = caches.want(JOBTEMPLATE)
        self.commands = TargetedCommands(JOBFLOW, caches, context.api)
        self.jobs = FlowJobs(caches)
        self._api: ApiReader = context.api
        self._caches: Caches = caches
        self._applier: Applier = context.applier
        self._clock: Callable[[], float] = context.clock
        self._pods = FlowPods(context)
        self._prober = Prober(
            self._pods.addresses,
            queue.add,
            limit=context.settings.probe_concurrency,
            allow_loopback=context.settings.probe_allow_loopback,
        )
        self._memory = Memory()
        self._reports = RateLimiter(RATE, BURST)
        self._events = RateLimiter(EVENT_RATE, EVENT_BURST)

    def template_wakes(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """A template that appears concerns the flows that use it."""
        if new is None or old is not None:
            return ()
        metadata = new["metadata"]
        return self.flows.keys_by(USES, str(Key(metadata.get("namespace", ""), metadata["name"])))

    async def reconcile(self, key: Key) -> float | None:
        await self.commands.catch_up(self.flows, key)
        refused = 0
        full: Refusal | None = None
        for _ in range(ROUNDS):
            body = self.flows.get(*key)
            known = self._memory.recall(key, body) if body is not None else None
            if body is None or known is None:
                self._forget(key)
                return None
            found = decide(self._seen(key, body, known, full), known.plan)
            if found.wants:
                await self._fetch(key, known, found)
                continue
            decision = self._quietly(found.decision)
            started = self._clock()
            outcome = await self._applier.apply(JOBFLOW, body, decision)
            if decision.actions or decision.status is not None:
                self._reports.record_latency(self._clock() - started)
            if outcome.done:
                return self._done(key, known, found, decision, outcome.body)
            known.refused(outcome.refusals)
            refused += 1
            if refused >= REFUSED_ROUNDS:
                full = next(iter(outcome.refusals.values()))
        raise StaleError(f"JobFlow {key}: refused again and again")

    def _seen(self, key: Key, body: Body, known: Remembered, full: Refusal | None = None) -> FlowSeen:
        now = self._clock()
        uid = known.flow.metadata.uid
        jobs = self.jobs.of(uid)
        return FlowSeen(
            flow=known.flow,
            stored=known.stored,
            jobs=jobs,
            namesakes=Namesakes(self.jobs.cache, key.namespace, jobs),
            templates=Templates(self.templates, key.namespace),
            now=now,
            commands=tuple(self._commands(key)),
            refusals=known.refusals,
            full=full,
            pods=known.pods,
            gone=frozenset(known.gone),
            ordered=known.ordered,
            probes=self._prober.results(key),
            write_after=self._write_after(known, now),
            settle_until=(known.held_since or now) + FOLLOW_UP_DELAY if known.stored.state.phase else 0.0,
        )

    def _write_after(self, known: Remembered, now: float) -> float:
        if max(known.wrote_at, known.asked) > now:  # the clock was set back: a place in the old time may be hours away
            known.wrote_at, known.reserved, known.held_since = min(known.wrote_at, now), 0.0, 0.0
        if not known.reserved:
            known.asked = now
            known.reserved = max(known.wrote_at + interval(len(known.plan.steps)), self._reports.reserve(now))
        return known.reserved

    def _commands(self, key: Key) -> Iterator[CommandSeen]:
        for command in self.commands.of(key):
            metadata = command["metadata"]
            if "deletionTimestamp" not in metadata:
                yield CommandSeen(
                    metadata["name"],
                    metadata.get("uid", ""),
                    str(command.get("action", "")),
                    metadata.get("creationTimestamp") or "",
                    command["target"].get("uid") or "",
                )

    async def _fetch(self, key: Key, known: Remembered, found: FlowDecision) -> None:
        """Read what the decision could not do without."""
        for name in found.wants.jobs:
            try:
                body = await self._api.get(JOB, key.namespace, name)
            except NotFound:
                known.gone.add(name)
                continue
            self._caches.assume(JOB, body)
            if known.flow.metadata.uid not in by_controller_uid(body):
                known.gone.add(name)  # somebody took it from its flow, or made another one of this name
        jobs = self.jobs.of(known.flow.metadata.uid)
        for name in found.wants.pods:
            job = jobs.get(name)
            if job is not None:
                known.pods[name] = await self._pods.of(key.namespace, job, live=bool(known.outputs_of(job.step)))

    def _quietly(self, decision: Decision) -> Decision:
        """Without events of steps when there are too many to be read."""
        if not any(note.reason in STEP_NOTES for note in decision.notes) or self._events.allow(self._clock()):
            return decision
        notes = tuple(note for note in decision.notes if note.reason not in STEP_NOTES)
        return msgspec.structs.replace(decision, notes=notes)

    def _done(self, key: Key, known: Remembered, found: FlowDecision, decision: Decision, stored: Body) -> float | None:
        """Remember what was decided and done; the seconds after which to look again."""
        if decision.status is not None:
            metrics.stored(known.stored, found.carry, self._clock())
        freed = known.learn(stored, found, self._clock())
        jobs = self.jobs.of(known.flow.metadata.uid)
        self._prober.want(key, found.probes)
        adopted = any(
            isinstance(action, Create)
            and (job := jobs.get(action.body["metadata"]["name"])) is not None
            and job.phase is not None
            for action in decision.actions
        )
        # One whose report was held back keeps its place: forgotten, it would ask for a later one for ever.
        if (found.carry.completion_time is not None and known.is_stored) or finished_by_volcano(known.flow):
            self._forget(key)
        for idle in self._memory.surplus():
            self._forget(idle, probing=True)
        if (
            freed
            or adopted
            or any(action.kind is JOBFLOW for action in decision.actions if not isinstance(action, Create))
        ):
            return 0.0
        return decision.requeue_after

    def _forget(self, key: Key, *, probing: bool = False) -> None:
        """Keep nothing of a flow. `probing`: but go on with its probes."""
        self.jobs.drop(self._memory.forget(key))
        if not probing:
            self._prober.want(key, ())


def build(context: ControllerContext) -> Controller:
    queue = WorkQueue("jobflow")
    reconciler = FlowReconciler(context, queue)
    metrics.Census(reconciler.flows)
    return Controller(
        name="jobflow",
        queue=queue,
        reconciler=reconciler,
        routes=(
            Route(reconciler.flows, itself, own_writes=False),
            Route(reconciler.jobs.cache, its_controller(JOBFLOW), own_writes=False),
            Route(reconciler.templates, reconciler.template_wakes),
            Route(reconciler.commands.cache, reconciler.commands.wakes, own_writes=False),
        ),
        primary=reconciler.flows,
    )
