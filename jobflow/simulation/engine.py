"""Runs a flow on a clock that jumps from one event to the next, by the decisions of the controller.

The status is kept in memory and never written, except where the controller would not wait: that is what makes a thousand
steps take a second.
"""

import math
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from controller.decision import Create, Decision, Delete
from controller.jobflow.decide.flow import FlowDecision, decide
from controller.jobflow.model.memo import NO_MEMO
from controller.jobflow.model.observed import ObservedFlow, ProbeResult
from controller.jobflow.model.plan import Plan
from jobflow.simulation.jobs import SimulatedJobs
from jobflow.simulation.scenario import JobScenario
from shared.kinds import COMMAND, JOBFLOW
from shared.model.flow import JobFlow
from shared.model.flow_status import JobFlowStatus
from shared.model.meta import ObjectMeta
from shared.model.types import Body
from shared.timestamp import rfc3339

START: Final = 1_767_225_600.0  # 2026-01-01T00:00:00Z; conditions do not read it
_MOST_EVENTS: Final = 1_000_000
_MOST_SECONDS: Final = 10 * 366 * 86_400.0  # nobody waits longer for a flow
_MOST_ROUNDS: Final = 1000  # decisions at one moment
_LATER: Final = 1e15  # epoch seconds; a status write that may wait waits until then
_UID: Final = "simulated"


class Course(msgspec.Struct, frozen=True):
    """What came of a flow. `unfinished`: why it would not end, "" if it has ended; `seconds`: from start to end."""

    status: JobFlowStatus
    jobs: SimulatedJobs
    seconds: float
    unfinished: str = ""


class FlowClock:
    """One flow in a cluster of its own. `templates`: JobTemplates by name."""

    def __init__(self, flow: JobFlow, templates: Mapping[str, Body], scenario: JobScenario) -> None:
        metadata = replace(flow.metadata, uid=_UID, generation=1, creation_timestamp=rfc3339(START))
        self._flow = replace(flow, metadata=metadata, status=JobFlowStatus())
        self._plan = Plan(self._flow)
        self._templates = templates
        self._memo = NO_MEMO
        self._stored = JobFlowStatus()
        self._jobs = SimulatedJobs(self._plan.steps, scenario, START)
        self._terminated: dict[str, float] = {}
        self._probes: dict[str, ProbeResult] = {}
        self._now = START
        self._hold_until = _LATER

    def run(self) -> Course:
        """Until the flow has ended, or nothing will ever happen again."""
        for _ in range(_MOST_EVENTS):
            found = self._settle()
            if found.over:
                return self._course()
            pause = found.decision.requeue_after
            moment = min(self._jobs.next_end(), math.inf if pause is None else self._now + pause)
            if moment > START + _MOST_SECONDS:
                self._hold_until = 0.0  # to see the whole status of a flow that stays as it is
                return self._course(unfinished=_why(self._settle().next_status))
            self._now = max(moment, self._now)
            self._jobs.end_due(self._now)
        return self._course(unfinished=f"it was not over after {_MOST_EVENTS} events")

    def _settle(self) -> FlowDecision:
        """Decide and act until nothing is left to do at this moment."""
        for _ in range(_MOST_ROUNDS):
            found = decide(self._seen(), self._plan, self._memo)
            again = self._act(found.decision)
            self._memo = found.memo
            self._flow = replace(self._flow, status=found.next_status)
            again |= self._answer_probes(found)
            if found.decision.status is not None:
                again |= self._stored != found.next_status and not found.over
                self._stored = found.next_status
            if not again and found.decision.requeue_after != 0:
                break
        return found

    def _seen(self) -> ObservedFlow:
        jobs = self._jobs
        return ObservedFlow(
            flow=self._flow,
            stored=self._stored,
            jobs=jobs.observed,
            others=jobs.others,
            templates=self._templates,
            now=self._now,
            pods=jobs.pods,
            deleted_jobs=frozenset(jobs.created - jobs.observed.keys())
            if len(jobs.created) > len(jobs.observed)
            else frozenset(),
            terminate_sent=self._terminated,
            probes=self._probes,
            write_after=self._hold_until,
        )

    def _act(self, decision: Decision) -> bool:
        """Whether the controller has something new to see."""
        for action in decision.writes:
            if isinstance(action, Create) and action.kind is COMMAND:
                self._terminated[action.body["target"]["uid"]] = self._now
                self._jobs.terminate(action.body["target"]["name"], self._now)
            elif isinstance(action, Create):
                self._jobs.create(action, self._now)
            elif isinstance(action, Delete) and action.kind is not JOBFLOW:
                self._jobs.delete(action.name)
        return bool(decision.writes)

    def _answer_probes(self, found: FlowDecision) -> bool:
        """Network probes hold as soon as they are wanted: there is no network."""
        new = [probe.step for probe in found.probes if probe.step not in self._probes]
        self._probes |= dict.fromkeys(new, ProbeResult(holds=True))
        return bool(new)

    def _course(self, unfinished: str = "") -> Course:
        return Course(self._flow.status, self._jobs, self._now - START, unfinished)


def parse(body: Body) -> JobFlow:
    """Raises msgspec.ValidationError."""
    metadata = body.get("metadata") or {}
    name = metadata.get("name") or f"{metadata.get('generateName') or ''}xxxxx"
    flow = msgspec.convert({**body, "status": {}, "metadata": {}}, JobFlow)
    made = ObjectMeta(
        name=name,
        namespace=metadata.get("namespace") or "default",
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
    )
    return replace(flow, metadata=made)


def _why(status: JobFlowStatus) -> str:
    if status.state.message:
        return status.state.message
    return status.next_summary or "nothing happens any more"
