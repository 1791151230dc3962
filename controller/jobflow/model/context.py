"""The working state of one decision: the state of each step so far, and what has been decided to do.

`decide` makes one, passes it to the control primitives in order, and reads the decision from it at the end.
"""

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from controller.decision import Child, Create, Note, Patch
from controller.jobflow.model.memo import DecisionMemo
from controller.jobflow.model.observed import ObservedChild, ObservedFlow, ParentFlow
from controller.jobflow.model.plan import Plan
from controller.jobflow.model.step_states import StepStates
from shared import ranges
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import FlowOutcome, StepPhase
from shared.model.step import HttpGet, Step, TcpSocket
from shared.names import FLOW_TEMPLATE, MAX_JOBS_PER_STEP_LISTED
from shared.policy.quota.places import PlaceState
from shared.timestamp import rfc3339


class ProbeWanted(msgspec.Struct, frozen=True):
    """A network probe that a waiting step needs: on every one of `minimum` pods of `task` of the Jobs `jobs`."""

    step: str
    jobs: tuple[str, ...]
    task: str
    minimum: int
    check: HttpGet | TcpSocket


class ReadRequests(msgspec.Struct):
    """What to read from the API server before deciding again. `pods`: of these Jobs; `children`: these objects."""

    pods: set[str] = msgspec.field(default_factory=set)
    children: set[Child] = msgspec.field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.pods or self.children)


class FlowContext:
    """The working state of one call of `decide`. Mutable; nothing outside that call holds it.

    `waiting_for`: what each step waits for, in words for users; `wake`: when to look again; `urgent`: the status must
    be written at once; `reset`: a Command began the flow anew; `spec_change`: must be carried out before anything else;
    `orphaned_steps`: steps of which an abandoned Job still runs; `abandoned`: how many such Jobs there are; `on_targets`: steps that wait for other steps and nothing else;
    `programs`, `conditions`, `items`: copies of the memo, extended on the way.
    """

    def __init__(self, observed: ObservedFlow, plan: Plan, step_states: StepStates, memo: DecisionMemo) -> None:
        status = observed.flow.status
        self.observed = observed
        self.plan = plan
        self.now = observed.now
        self.now_text = rfc3339(observed.now)
        self.jobs = observed.jobs
        self.step_states = step_states
        self.programs = dict(memo.programs)
        self.conditions = dict(memo.conditions)
        self.items = dict(memo.items)
        self.outcome = status.outcome
        self.start_time = status.start_time
        self.completion_time = status.completion_time
        self.finally_start_time = status.finally_start_time
        self.finally_outcome = status.finally_outcome
        self.handled = status.handled_commands
        self.command_results = status.command_results
        self.spec_change: Patch | None = None
        self.suspend = observed.flow.spec.suspend
        self.outputs = status.outputs
        self.creates: list[Create] = []
        self.terminating: dict[str, ObservedChild] = {}
        self.resuming: dict[str, ObservedChild] = {}
        self.notes: list[Note] = []
        self.waiting_for: dict[str, tuple[str, ...]] = {}
        self.probes: list[ProbeWanted] = []
        self.reads = ReadRequests()
        self.wake = math.inf
        self.urgent = False
        self.reset = False
        self.orphaned_steps: set[str] = set()
        self.abandoned = 0
        self.dues: dict[tuple[str, int | None], float] = {}
        self.on_targets: set[str] = set()
        self._loop_jobs: dict[tuple[str, int], set[int]] | None = None

    def memo(self, steps: tuple[StepStatus, ...]) -> DecisionMemo:
        """What the next decision may start from, should it be given the states `steps`."""
        return DecisionMemo(self.programs, self.conditions, self.items, steps, self.step_states.of(steps))

    @property
    def status(self) -> JobFlowStatus:
        return self.observed.flow.status

    @property
    def steps(self) -> dict[str, StepStatus]:
        """States by name, in the order of the spec."""
        return self.step_states.steps

    @property
    def open(self) -> set[str]:
        """Steps that have not ended."""
        return self.step_states.open

    @property
    def failed(self) -> bool:
        """Whether a step has failed the flow."""
        return self.step_states.failed

    @property
    def halting(self) -> bool:
        """Whether a step has failed in a way that stops others."""
        return self.step_states.halts

    @property
    def stopping(self) -> bool:
        """TerminateJobFlow, or the flow's deadline: running Jobs are terminated, nothing else starts."""
        return self.outcome in (FlowOutcome.TERMINATED, FlowOutcome.DEADLINE_EXCEEDED)

    def put(self, state: StepStatus) -> None:
        """Set the state of a step."""
        self.step_states.put(state)
        if state.phase.ended:
            self.waiting_for.pop(state.name, None)
            self.on_targets.discard(state.name)

    def change(self, name: str, **changes: Any) -> None:
        self.put(replace(self.steps[name], **changes))

    def end(self, name: str, phase: StepPhase, reason: str, message: str = "", **more: Any) -> None:
        """The step ends now, without a Job of its own having ended."""
        state = self.steps[name]
        self.change(
            name,
            phase=phase,
            reason=reason,
            message=message,
            start_time=state.start_time or (self.now_text if phase is not StepPhase.SKIPPED else None),
            completion_time=self.now_text,
            **more,
        )

    def wake_at(self, moment: float) -> None:
        """Reconcile again at this moment though nothing changes."""
        self.wake = min(self.wake, moment)

    def retry_at(self, step: str, index: int | None, moment: float) -> None:
        """The next attempt may start at this moment."""
        self.dues[step, index] = moment
        if moment > self.now:
            self.wake_at(moment)

    def terminate(self, job: ObservedChild) -> None:
        """Request that an unfinished Job is terminated."""
        self.terminating[job.uid] = job

    def resume(self, child: ObservedChild) -> None:
        """Request that a child that has ended continues."""
        self.resuming[child.uid] = child

    @property
    def lineage(self) -> tuple[ParentFlow, ...]:
        """The flows above a flow that a step of this one creates, the nearest first."""
        metadata = self.observed.flow.metadata
        own = ParentFlow(metadata.name, metadata.annotations.get(FLOW_TEMPLATE, ""), self.suspend)
        return (own, *self.observed.parents)

    @property
    def suspended_by(self) -> str:
        """The flow above this one that is suspended, or "". Its suspension covers everything below it."""
        return next((parent.name for parent in self.observed.parents if parent.suspended), "")

    @property
    def is_suspended(self) -> bool:
        """Whether the flow is suspended, itself or by a flow above it."""
        return self.suspend or bool(self.suspended_by)

    @property
    def is_held(self) -> bool:
        """Whether quotas do not let the flow create anything in this pass."""
        return self.observed.quota is not None and self.observed.quota.state is not PlaceState.OPEN

    @property
    def has_no_place(self) -> bool:
        """Whether its status must not say that it holds a place in its quotas."""
        return self.observed.quota is not None and self.observed.quota.waits

    @property
    def held_by(self) -> str:
        """The quota that holds the flow, in words; "" for none, and as long as none is known."""
        return self.observed.quota.message if self.observed.quota is not None else ""

    def due(self, step: str, index: int | None = None) -> bool:
        """Whether the pause before the next attempt of a step or iteration is over."""
        return self.due_at(step, index) <= self.now

    def due_at(self, step: str, index: int | None = None) -> float:
        """When the next attempt of a step or iteration may start, epoch seconds."""
        return self.dues.get((step, index), 0.0)

    def loop_jobs(self, step: str, attempt: int) -> set[int]:
        """Indexes of the iterations of `step` whose Job number `attempt` exists."""
        if self._loop_jobs is None:
            self._loop_jobs = {}
            for job in self.jobs.values():
                if job.index is not None:
                    self._loop_jobs.setdefault((job.step, job.attempt), set()).add(job.index)
        return self._loop_jobs.get((step, attempt), set())

    def begun(self) -> list[StepStatus]:
        """Steps that have begun and not ended, in the order of the spec."""
        states = (self.steps[name] for name in self.open)
        found = [state for state in states if state.attempts or state.iterations is not None]
        return sorted(found, key=lambda state: self.plan.position[state.name])

    def current_jobs(self, state: StepStatus) -> list[ObservedChild]:
        """Jobs of the attempts under way."""
        if state.iterations is None:
            begun = state.attempts > state.attempt_base
            names = [self.plan.job_name(state.name, None, state.attempts - 1)] if begun else []
        else:
            tried = {retry.index: retry.attempts for retry in state.iterations.retries}
            names = [
                self.plan.job_name(state.name, index, state.attempt_base + tried.get(index, 1) - 1)
                for index in ranges.parse(state.iterations.running_indexes)
            ]
        return [self.jobs[name] for name in names if name in self.jobs]

    def with_children(self) -> list[str]:
        """Steps of which an attempt is under way, in the order of the spec."""
        return [state.name for state in self.begun() if self.current_jobs(state)]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """These steps in the order of the spec."""
        return sorted(names, key=self.plan.position.__getitem__)

    def only_targets(self, name: str) -> bool:
        """Whether a waiting step waits for other steps and nothing else."""
        return name in self.on_targets or name in self.step_states.blocked

    def unfinished(self, names: Iterable[str]) -> bool:
        """Whether one of these steps has not ended."""
        return not self.open.isdisjoint(names)

    @property
    def flows_open(self) -> bool:
        """Whether a step of `flows` has not ended."""
        return not self.open <= self.plan.final_names


def started(state: StepStatus) -> bool:
    """Whether it has begun an attempt or a loop since the last command, or has ended."""
    return state.attempts > state.attempt_base or state.iterations is not None or state.phase.ended


def in_flight(step: Step, state: StepStatus, last_job: str) -> bool:
    """Whether the latest attempt, whose Job would be `last_job`, has not been accounted for yet."""
    if step.for_ is not None or state.attempts <= state.attempt_base:
        return False
    if state.phase is StepPhase.RUNNING:  # also an attempt that had ended and continues
        return True
    return state.last_attempt is None or state.last_attempt.job != last_job


def with_jobs(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """The last ten Jobs of a step."""
    return tuple(dict.fromkeys((*known, *more)))[-MAX_JOBS_PER_STEP_LISTED:]
