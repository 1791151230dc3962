"""What the JobFlow controller remembers of each flow between passes.

It saves parsing and planning a flow again at every pass, and holds decisions whose status is not written yet. All of it
can be lost at any moment: the API server has everything that a new process needs.
"""

import itertools
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from controller.decision import Child, Create, Refusal, add_refusals
from controller.jobflow.decide.flow import FlowDecision
from controller.jobflow.model.memo import NO_MEMO, DecisionMemo
from controller.jobflow.model.observed import PodResults
from controller.jobflow.model.plan import Plan
from shared.key import Key
from shared.model.flow import JobFlow, JobFlowSpec
from shared.model.flow_status import JobFlowStatus
from shared.model.meta import ObjectMeta
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)


@dataclass
class CachedFlow:
    """One flow. `flow`: with the status that the last decision left; `stored`: the status that the API server has, as a
    model, and `raw` as it was received; `version`: resourceVersion of both; `memo`: for the next decision; `pods`,
    `deleted_jobs`: results of live reads; `terminate_sent`: when each child was told to stop, by uid;
    `reserved`: when the next status may be written, 0 while no time is reserved; `asked`: when that was reserved;
    `deferred_since`: since when a status write is put off, 0 if none is; `report_seconds`: how long the last one took,
    from the observation on; `refusals`: of creates, and of changes of the flow itself, by name.
    """

    flow: JobFlow
    plan: Plan
    stored: JobFlowStatus
    raw: Any
    version: str
    memo: DecisionMemo = NO_MEMO
    wrote_at: float = 0.0
    reserved: float = 0.0
    asked: float = 0.0
    deferred_since: float = 0.0
    report_seconds: float = 0.0
    pods: dict[str, PodResults] = field(default_factory=dict)
    deleted_jobs: set[str] = field(default_factory=set)
    terminate_sent: dict[str, float] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)

    @property
    def is_stored(self) -> bool:
        """Whether the API server has everything that was decided."""
        return self.flow.status is self.stored

    def outputs_of(self, step: str) -> tuple[str, ...]:
        return self.plan.outputs.get(step, ())

    def add_refusals(self, refusals: Mapping[Child, Refusal]) -> None:
        """Remember what the API server refused."""
        add_refusals(self.refusals, {name: refusal for (_, name), refusal in refusals.items()})

    def carried_out(self, body: Body, found: FlowDecision, observed_at: float, now: float) -> bool:
        """The decision about what was observed at `observed_at` was carried out; `body` is the flow as stored since. True when
        refused Jobs may be tried again at once because the create of one of them has succeeded."""
        decision = found.decision
        self.memo = found.memo
        self.flow = msgspec.structs.replace(self.flow, status=found.next_status)
        self.pods.clear()
        self.deleted_jobs.clear()
        # An invalid Job has ended its step; a retry of the step may make another Job.
        # A refused change of the flow itself has been reported by an Event; the next Command tries again.
        own = self.flow.metadata.name
        self.refusals = {name: one for name, one in self.refusals.items() if not one.for_ever and name != own}
        accepted = False
        for action in decision.actions:
            if isinstance(action, Create):
                accepted |= self.refusals.pop(action.body["metadata"]["name"], None) is not None
        self.terminate_sent.update(dict.fromkeys(found.stopped, now))
        self.deferred_since = (self.deferred_since or observed_at) if found.deferred else 0.0
        if decision.status is not None:
            self.stored = found.next_status
            self.raw = body.get("status")
            self.version = body["metadata"].get("resourceVersion", "")
            self.wrote_at, self.reserved = now, 0.0
            self.report_seconds = max(now - observed_at, 0.0)
        if accepted:
            self.refusals = {name: msgspec.structs.replace(one, at=0.0) for name, one in self.refusals.items()}
        return accepted and bool(self.refusals)


class FlowCache:
    """`most`: flows remembered at once; the least recently used ones are dropped first."""

    def __init__(self, most: int = 1000) -> None:
        self._known: OrderedDict[Key, CachedFlow] = OrderedDict()
        self._most = most

    def recall(self, key: Key, body: Body) -> CachedFlow | None:
        """The flow in its stored version; None, with a line in the log, if it cannot be parsed."""
        known = self._known.get(key)
        metadata = body["metadata"]
        if known is not None and known.flow.metadata.uid == metadata.get("uid"):
            self._known.move_to_end(key)
            if known.version == metadata.get("resourceVersion", ""):
                return known
        else:
            known = None
        try:
            found = _updated(known, body) if known is not None else _new(body)
        except msgspec.ValidationError as fault:
            LOG.warning("a JobFlow that cannot be parsed is left alone", extra={"key": str(key), "error": str(fault)})
            return None
        self._known[key] = found
        return found

    def try_again(self, key: Key) -> None:
        """End the pauses after refusals of a flow: what they were about may have changed."""
        known = self._known.get(key)
        if known is not None:
            known.refusals = {name: msgspec.structs.replace(one, at=0.0) for name, one in known.refusals.items()}

    def surplus(self) -> list[Key]:
        """Flows to drop because there are too many. Nothing is lost with them: their status is stored."""
        if len(self._known) <= self._most:
            return []
        oldest = itertools.islice(self._known.items(), len(self._known) - self._most)
        return [key for key, known in oldest if known.is_stored]

    def forget(self, key: Key) -> str:
        """Drop a flow; the uid that it had."""
        known = self._known.pop(key, None)
        return known.flow.metadata.uid if known else ""


def _new(body: Body) -> CachedFlow:
    status = _status(body)
    flow = JobFlow(
        metadata=msgspec.convert(body["metadata"], ObjectMeta),
        spec=msgspec.convert(body.get("spec") or {}, JobFlowSpec),
        status=status,
    )
    return CachedFlow(flow, Plan(flow), status, body.get("status"), flow.metadata.resource_version)


def _updated(known: CachedFlow, body: Body) -> CachedFlow:
    """The same flow in a later version. Unchanged parts are kept."""
    metadata = msgspec.convert(body["metadata"], ObjectMeta)
    flow = msgspec.structs.replace(known.flow, metadata=metadata)
    if metadata.generation != known.flow.metadata.generation:
        flow = msgspec.structs.replace(flow, spec=msgspec.convert(body.get("spec") or {}, JobFlowSpec))
        known.plan, known.memo = Plan(flow), NO_MEMO
    raw = body.get("status")
    if raw != known.raw:
        known.stored = _status(body)
        flow = msgspec.structs.replace(flow, status=known.stored)
    known.flow, known.raw, known.version = flow, raw, metadata.resource_version
    return known


def _status(body: Body) -> JobFlowStatus:
    """Parse a status. One that cannot be parsed counts as empty: the Jobs say the rest."""
    try:
        return msgspec.convert(body.get("status") or {}, JobFlowStatus)
    except msgspec.ValidationError as fault:
        LOG.warning("a status that cannot be parsed is built anew", extra={"error": str(fault)})
        return JobFlowStatus()
