"""The state of a run: the status of its JobFlow as Python values. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import FlowPhase
from shared.model.types import Body

_ENDED: Final = (FlowPhase.SUCCEED, FlowPhase.FAILED)
_LISTED: Final = 10


class RunStep(msgspec.Struct, frozen=True):
    """`attempts`: started so far; `outputs`: those of the last iteration of a loop; `iteration_outputs`: of each iteration,
    by index; `jobs`: the names of its latest Jobs; `started`, `ended`: RFC 3339, "" if it has not."""

    name: str
    phase: str
    reason: str
    message: str
    attempts: int
    exit_code: int | None
    outputs: Mapping[str, str]
    iteration_outputs: Mapping[int, Mapping[str, str]]
    jobs: tuple[str, ...]
    started: str
    ended: str


class RunSnapshot(msgspec.Struct, frozen=True):
    """`phase`: Pending, Running, Suspended, Succeed, Failed, Terminating; `outcome`: at the end, also Terminated or
    DeadlineExceeded; `progress`: "3/5"; `waiting`: what comes next, in words."""

    phase: str
    reason: str
    message: str
    outcome: str
    progress: str
    waiting: str
    steps: Mapping[str, RunStep]

    @property
    def ended(self) -> bool:
        return self.phase in _ENDED

    @property
    def succeeded(self) -> bool:
        return self.phase == FlowPhase.SUCCEED

    def troubles(self) -> list[str]:
        """Why it failed: one line a step that failed or was terminated."""
        bad = [step for step in self.steps.values() if step.phase in ("Failed", "Terminated")]
        lines = [_trouble(step) for step in bad[:_LISTED]]
        return [*lines, *([f"and {len(bad) - _LISTED} more steps"] if len(bad) > _LISTED else [])]


def state_of(body: Body) -> RunSnapshot:
    """The state of a JobFlow."""
    status = msgspec.convert(body.get("status") or {}, JobFlowStatus)
    return RunSnapshot(
        phase=status.state.phase.value if status.state.phase else FlowPhase.PENDING.value,
        reason=status.state.reason,
        message=status.state.message,
        outcome=status.outcome,
        progress=status.progress,
        waiting=status.next_summary,
        steps={step.name: _step(step) for step in status.steps},
    )


def _step(step: StepStatus) -> RunStep:
    loops = step.iterations.outputs if step.iterations else {}
    return RunStep(
        name=step.name,
        phase=step.phase.value,
        reason=step.reason,
        message=step.message,
        attempts=step.attempts,
        exit_code=step.exit_code,
        outputs=step.outputs,
        iteration_outputs={int(index): values for index, values in loops.items()},
        jobs=step.jobs,
        started=step.start_time or "",
        ended=step.completion_time or "",
    )


def _trouble(step: RunStep) -> str:
    said = ": ".join(part for part in (step.reason, step.message) if part)
    attempts = f" after {step.attempts} attempts" if step.attempts > 1 else ""
    return f"step {step.name} {step.phase}{attempts}: {said}"
