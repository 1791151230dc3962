"""What the JobFlow controller remembers between passes. All of it can be lost: the cluster has what counts."""

import itertools
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from controller.decision import Child, Create, Refusal, add_refusals
from controller.jobflow.decide.flow import FlowDecision
from controller.jobflow.decide.plan import Plan
from controller.jobflow.observe.observed import PodsSeen
from shared.key import Key
from shared.kinds import COMMAND
from shared.model.flow import JobFlow, JobFlowSpec
from shared.model.flow_status import JobFlowStatus
from shared.model.meta import ObjectMeta
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)


@dataclass
class Remembered:
    """One flow. `flow`: with the status that the last decision left; `stored`: the status that the API server has, as a
    model, and `raw` as it came; `version`: resourceVersion of both; `pods`, `gone`: answers to questions asked;
    `ordered`: when each Job was told to terminate; `reserved`: when the next report may be written, 0 for not asked;
    `asked`: when that was asked; `held_since`: since when something is not written, 0 if nothing is; `refusals`: of
    creates, and of changes of the flow itself, by name."""

    flow: JobFlow
    plan: Plan
    stored: JobFlowStatus
    raw: Any
    version: str
    wrote_at: float = 0.0
    reserved: float = 0.0
    asked: float = 0.0
    held_since: float = 0.0
    pods: dict[str, PodsSeen] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    ordered: dict[str, float] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)

    @property
    def is_stored(self) -> bool:
        """Whether the API server has everything that was decided."""
        return self.flow.status is self.stored

    def outputs_of(self, step: str) -> tuple[str, ...]:
        return self.plan.outputs.get(step, ())

    def refused(self, refusals: Mapping[Child, Refusal]) -> None:
        """The API server would not have these."""
        add_refusals(self.refusals, {name: refusal for (_, name), refusal in refusals.items()})

    def learn(self, body: Body, found: FlowDecision, now: float) -> bool:
        """The decision was carried out; `body` is what is stored since. Whether Jobs that had been refused may be tried
        again at once, for one of them was not refused any more."""
        decision = found.decision
        self.flow = msgspec.structs.replace(self.flow, status=found.carry)
        self.pods.clear()
        self.gone.clear()
        # A Job that was no valid one has ended its step; should that be tried again, it may be another Job.
        # A refused change of the flow itself has been told: the next Command asks anew.
        own = self.flow.metadata.name
        self.refusals = {name: one for name, one in self.refusals.items() if not one.for_ever and name != own}
        heard = False
        for action in decision.actions:
            if isinstance(action, Create):
                heard |= self.refusals.pop(action.body["metadata"]["name"], None) is not None
                if action.kind is COMMAND:
                    self.ordered[action.body["target"]["uid"]] = now
        self.held_since = (self.held_since or now) if found.held else 0.0
        if decision.status is not None:
            self.stored = found.carry
            self.raw = body.get("status")
            self.version = body["metadata"].get("resourceVersion", "")
            self.wrote_at, self.reserved = now, 0.0
        if heard:
            self.refusals = {name: msgspec.structs.replace(one, at=0.0) for name, one in self.refusals.items()}
        return heard and bool(self.refusals)


class Memory:
    """`most`: flows remembered at once; those looked at last stay."""

    def __init__(self, most: int = 1000) -> None:
        self._known: OrderedDict[Key, Remembered] = OrderedDict()
        self._most = most

    def recall(self, key: Key, body: Body) -> Remembered | None:
        """What is known of the flow as it is stored now; None, and a line in the log, if it cannot be read."""
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
            LOG.warning("a JobFlow that cannot be read is left alone", extra={"key": str(key), "error": str(fault)})
            return None
        self._known[key] = found
        return found

    def surplus(self) -> list[Key]:
        """Flows that need not be remembered, for there are too many: nothing is lost with them."""
        if len(self._known) <= self._most:
            return []
        oldest = itertools.islice(self._known.items(), len(self._known) - self._most)
        return [key for key, known in oldest if known.is_stored]

    def forget(self, key: Key) -> str:
        """The uid that was known under this key."""
        known = self._known.pop(key, None)
        return known.flow.metadata.uid if known else ""


def _new(body: Body) -> Remembered:
    status = _status(body)
    flow = JobFlow(
        metadata=msgspec.convert(body["metadata"], ObjectMeta),
        spec=msgspec.convert(body.get("spec") or {}, JobFlowSpec),
        status=status,
    )
    return Remembered(flow, Plan(flow), status, body.get("status"), flow.metadata.resource_version)


def _updated(known: Remembered, body: Body) -> Remembered:
    """The same flow in a later version: what did not change is kept."""
    metadata = msgspec.convert(body["metadata"], ObjectMeta)
    flow = msgspec.structs.replace(known.flow, metadata=metadata)
    if metadata.generation != known.flow.metadata.generation:
        flow = msgspec.structs.replace(flow, spec=msgspec.convert(body.get("spec") or {}, JobFlowSpec))
        known.plan = Plan(flow)
    raw = body.get("status")
    if raw != known.raw:
        known.stored = _status(body)
        flow = msgspec.structs.replace(flow, status=known.stored)
    known.flow, known.raw, known.version = flow, raw, metadata.resource_version
    return known


def _status(body: Body) -> JobFlowStatus:
    """A status that cannot be read counts as none: everything in it follows from the Jobs, as far as they are there."""
    try:
        return msgspec.convert(body.get("status") or {}, JobFlowStatus)
    except msgspec.ValidationError as fault:
        LOG.warning("an unreadable status is made anew", extra={"error": str(fault)})
        return JobFlowStatus()
