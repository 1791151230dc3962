"""One flow of a simulation: the decisions of the controller, carried out on simulated Jobs, people and flows below it.

The status is kept in memory and never written, except where the controller would not wait: that is what makes a thousand
steps take a second.
"""

import math
from typing import Final

from msgspec.structs import replace

from controller.decision import Create, Decision, Delete, Patch
from controller.jobflow.decide.flow import FlowDecision, decide
from controller.jobflow.model.memo import NO_MEMO
from controller.jobflow.model.observed import (
    ApprovalRules,
    FlowCommand,
    ObservedFlow,
    ParentFlow,
    ProbeResult,
)
from controller.jobflow.model.plan import Plan
from jobflow.simulation.course import Course
from jobflow.simulation.jobs import SimulatedJobs
from jobflow.simulation.manifests import KnownTemplates, parse, resource_kinds
from jobflow.simulation.people import SimulatedPeople
from jobflow.simulation.scenario import JobScenario
from shared.kinds import COMMAND, JOBFLOW
from shared.model.flow import JobFlow
from shared.model.flow_status import JobFlowStatus
from shared.names import FLOW_TEMPLATE
from shared.timestamp import rfc3339

_MOST_ROUNDS: Final = 1000  # decisions at one moment
_LATER: Final = 1e15  # epoch seconds; a status write that may wait waits until then
_APPROVALS: Final = ApprovalRules(since=0.0, missing="", own_flows=True, on_timeout=True)


class LiveFlow:
    """A flow that began at `start`, in epoch seconds. `parents`: the flows above it, the nearest first."""

    def __init__(
        self,
        flow: JobFlow,
        templates: KnownTemplates,
        scenario: JobScenario,
        start: float,
        uid: str,
        parents: tuple[ParentFlow, ...] = (),
    ) -> None:
        metadata = replace(flow.metadata, uid=uid, generation=1, creation_timestamp=rfc3339(start))
        self._flow = replace(flow, metadata=metadata, status=JobFlowStatus())
        self._plan = Plan(self._flow)
        self._templates = templates
        self._scenario = scenario
        self._start = start
        self._parents = parents
        self._memo = NO_MEMO
        self._stored = JobFlowStatus()
        self._jobs = SimulatedJobs(self._plan.steps, scenario, start)
        asked = {name for name, step in self._plan.steps.items() if step.approve is not None}
        self._people = SimulatedPeople(asked, scenario, start)
        self._kinds = tuple(resource_kinds(self._plan.steps.values()))
        self._below: dict[str, LiveFlow] = {}
        self._commands: dict[str, FlowCommand] = {}
        self._steered: dict[str, float] = {}
        self._probes: dict[str, ProbeResult] = {}
        self._hold_until = _LATER
        self._wake = start
        self.over = False

    @property
    def status(self) -> JobFlowStatus:
        return self._flow.status

    def next_moment(self) -> float:
        """Epoch seconds at which something happens in it or below it; infinity if nothing ever will."""
        return min(
            self._wake,
            self._jobs.next_end(),
            self._people.next_answer(),
            min((flow.next_moment() for flow in self._below.values() if not flow.over), default=math.inf),
        )

    def settle(self, now: float) -> None:
        """Decide and act until nothing is left to do at this moment."""
        self._jobs.end_due(now)
        self._take(self._people.due(now))
        self._look_below(now)
        for _ in range(_MOST_ROUNDS):
            found = decide(self._seen(now), self._plan, self._memo)
            again = self._act(found.decision, now)
            self._memo = found.memo
            self._flow = replace(self._flow, status=found.next_status)
            again |= self._answer_probes(found)
            again |= self._look_below(now)
            if found.decision.status is not None:
                again |= self._stored != found.next_status and not found.over
                self._stored = found.next_status
            self._people.look(found.next_status, now)
            if not again and found.decision.requeue_after != 0:
                break
        self.over = found.over
        pause = found.decision.requeue_after
        self._wake = math.inf if pause is None else now + pause

    def order(self, action: str, now: float) -> None:
        """Send a Command, as the flow above does to stop this one."""
        name = f"command-{now}"
        self._take([FlowCommand(name, name, action, rfc3339(now))])
        self._wake = now

    def write_statuses(self, now: float) -> None:
        """Write into the status of a flow that has not ended what it waits for."""
        for name, flow in self._below.items():
            if name in self._jobs.observed and not flow.over:
                flow.write_statuses(now)
                self._jobs.see_flow(name, flow.status, now)
        self._hold_until = 0.0
        self.settle(now)

    def course(self, now: float, unfinished: str = "") -> Course:
        return Course(
            name=self._flow.metadata.name,
            status=self.status,
            jobs=tuple(self._jobs.records.values()),
            waits=self._people.waits,
            flows={name: flow.course(self._ended(name, now)) for name, flow in self._below.items()},
            seconds=now - self._start,
            unfinished=unfinished,
        )

    def _ended(self, flow: str, now: float) -> float:
        """When a flow below this one ended, now if it has not."""
        ended = self._jobs.records[flow].ended
        return now if ended is None else self._start + ended

    def _seen(self, now: float) -> ObservedFlow:
        jobs = self._jobs
        return ObservedFlow(
            flow=self._flow,
            stored=self._stored,
            jobs=jobs.observed,
            others=jobs.others,
            templates=self._templates.jobs,
            flow_templates=self._templates.flows,
            now=now,
            commands=tuple(self._commands.values()),
            pods=jobs.pods,
            deleted_jobs=frozenset(jobs.created - jobs.observed.keys())
            if len(jobs.created) > len(jobs.observed)
            else frozenset(),
            terminate_sent=self._steered,
            probes=self._probes,
            write_after=self._hold_until,
            parents=self._parents,
            approvals=_APPROVALS,
            resource_kinds=self._kinds,
        )

    def _act(self, decision: Decision, now: float) -> bool:
        """Whether the controller has something new to see."""
        for action in decision.writes:
            if isinstance(action, Create) and action.kind is COMMAND:
                self._steer(action, now)
            elif isinstance(action, Create) and action.kind is JOBFLOW:
                self._begin_below(action, now)
            elif isinstance(action, Create):
                self._jobs.create(action, now)
            elif isinstance(action, Delete):
                self._delete(action, now)
            elif isinstance(action, Patch):
                self._jobs.terminate(action.name, now)  # of a step with `resource`, which says how it is stopped
        return bool(decision.writes)

    def _steer(self, action: Create, now: float) -> None:
        target = action.body["target"]
        self._steered[target["uid"]] = now
        if target["name"] in self._below:
            self._below[target["name"]].order(action.body["action"], now)
        else:
            self._jobs.terminate(target["name"], now)

    def _delete(self, action: Delete, now: float) -> None:
        if action.kind is COMMAND:
            self._commands.pop(action.name, None)
        elif action.kind is not JOBFLOW or action.name != self._flow.metadata.name:  # its own end is not simulated
            self._jobs.delete(action.name, now)

    def _begin_below(self, action: Create, now: float) -> None:
        """A flow whose result the scenario gives, or of which nothing is known, is simulated like a Job."""
        flow = parse(action.body)
        template = flow.metadata.annotations.get(FLOW_TEMPLATE, "")
        child = self._jobs.parse(action)
        if template in self._templates.opaque or self._scenario.covers(child.step, child.index, child.attempt):
            self._jobs.create(action, now)
            return
        seen = self._jobs.begin(action, now)
        own = self._flow.metadata
        me = ParentFlow(own.name, own.annotations.get(FLOW_TEMPLATE, ""))
        inner = self._scenario.below(seen.step, seen.index, seen.attempt)
        self._below[seen.name] = LiveFlow(flow, self._templates, inner, now, seen.uid, (me, *self._parents))

    def _look_below(self, now: float) -> bool:
        """Let the flows below continue; whether there is something new to see of one."""
        new = False
        for name, flow in self._below.items():
            if name in self._jobs.observed and not flow.over and flow.next_moment() <= now:
                flow.settle(now)
                new |= self._jobs.see_flow(name, flow.status, now)
        return new

    def _answer_probes(self, found: FlowDecision) -> bool:
        """Network probes hold as soon as they are wanted: there is no network."""
        new = [probe.step for probe in found.probes if probe.step not in self._probes]
        self._probes |= dict.fromkeys(new, ProbeResult(holds=True))
        return bool(new)

    def _take(self, commands: list[FlowCommand]) -> None:
        self._commands |= {each.name: each for each in commands}
