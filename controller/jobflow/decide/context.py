"""The working state of one decision: where each step stands so far, and what has been decided to do."""

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from controller.decision import Create, Note, Patch
from controller.jobflow.decide.plan import Plan
from controller.jobflow.decide.step_states import Standing
from controller.jobflow.observe.observed import FlowSeen, JobSeen
from shared import ranges
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import FlowOutcome, StepPhase
from shared.model.step import HttpGet, Step, TcpSocket
from shared.names import MAX_JOBS_PER_STEP_LISTED
from shared.timestamp import rfc3339


class ProbeWanted(msgspec.Struct, frozen=True):
    """A network probe that a waiting step needs: on every one of `minimum` pods of `task` of the Jobs `jobs`."""

    step: str
    jobs: tuple[str, ...]
    task: str
    minimum: int
    check: HttpGet | TcpSocket


class Wants(msgspec.Struct):
    """What the decision could not know: read these and decide again. `pods`, `jobs`: Job names."""

    pods: set[str] = msgspec.field(default_factory=set)
    jobs: set[str] = msgspec.field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.pods or self.jobs)


class Turn:
    """Mutable, and private to one call of `decide`.

    `words`: what steps wait for, as people read it; `wake`: when to look again;
    `urgent`: the status must not be held back; `reset`: a Command began the flow anew; `strays`: steps of which an
    abandoned Job still runs; `abandoned`: how many such Jobs there are; `on_targets`: steps that wait for other steps alone.
    """

    def __init__(self, seen: FlowSeen, plan: Plan, standing: Standing) -> None:
        status = seen.flow.status
        self.seen = seen
        self.plan = plan
        self.now = seen.now
        self.now_text = rfc3339(seen.now)
        self.jobs = seen.jobs
        self.standing = standing
        self.outcome = status.outcome
        self.start_time = status.start_time
        self.completion_time = status.completion_time
        self.handled = status.handled_commands
        self.suspend = seen.flow.spec.suspend
        self.creates: list[Create] = []
        self.patches: list[Patch] = []
        self.kills: dict[str, JobSeen] = {}
        self.notes: list[Note] = []
        self.words: dict[str, tuple[str, ...]] = {}
        self.probes: list[ProbeWanted] = []
        self.wants = Wants()
        self.wake = math.inf
        self.urgent = False
        self.reset = False
        self.strays: set[str] = set()
        self.abandoned = 0
        self.dues: dict[tuple[str, int | None], float] = {}
        self.on_targets: set[str] = set()
        self._loop_jobs: dict[tuple[str, int], set[int]] | None = None

    @property
    def status(self) -> JobFlowStatus:
        return self.seen.flow.status

    @property
    def steps(self) -> dict[str, StepStatus]:
        """States by name, in the order of the spec."""
        return self.standing.steps

    @property
    def open(self) -> set[str]:
        """Steps that have not ended."""
        return self.standing.open

    @property
    def failed(self) -> bool:
        """Whether a step has failed the flow."""
        return self.standing.failed

    @property
    def stopping(self) -> bool:
        """TerminateJobFlow, or the flow's deadline: running Jobs are terminated, nothing else starts."""
        return self.outcome in (FlowOutcome.TERMINATED, FlowOutcome.DEADLINE_EXCEEDED)

    def put(self, state: StepStatus) -> None:
        """Take over the new state of a step."""
        self.standing.put(state)
        if state.phase.ended:
            self.words.pop(state.name, None)
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
        """Look again at this moment though nothing changes."""
        self.wake = min(self.wake, moment)

    def retry_at(self, step: str, index: int | None, moment: float) -> None:
        """The next attempt may start at this moment."""
        self.dues[step, index] = moment
        if moment > self.now:
            self.wake_at(moment)

    def kill(self, job: JobSeen) -> None:
        """Have an unfinished Job terminated."""
        self.kills[job.uid] = job

    def due(self, step: str, index: int | None = None) -> bool:
        """Whether the pause before the next attempt of a step or iteration is over."""
        return self.dues.get((step, index), 0.0) <= self.now

    def loop_jobs(self, step: str, attempt: int) -> set[int]:
        """Indexes of the iterations of `step` whose Job number `attempt` exists."""
        if self._loop_jobs is None:
            self._loop_jobs = {}
            for job in self.jobs.values():
                if job.index is not None:
                    self._loop_jobs.setdefault((job.step, job.attempt), set()).add(job.index)
        return self._loop_jobs.get((step, attempt), set())

    def begun(self) -> list[StepStatus]:
        """Steps that have begun and not ended."""
        states = (self.steps[name] for name in self.open)
        return [state for state in states if state.attempts or state.iterations is not None]

    def current_jobs(self, state: StepStatus) -> list[JobSeen]:
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

    def only_targets(self, name: str) -> bool:
        """Whether a waiting step waits for other steps and nothing else."""
        return name in self.on_targets or name in self.standing.far

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
    return state.last_attempt is None or state.last_attempt.job != last_job


def with_jobs(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """The last ten Jobs of a step."""
    return tuple(dict.fromkeys((*known, *more)))[-MAX_JOBS_PER_STEP_LISTED:]
