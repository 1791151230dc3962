"""The states of steps in the status of a JobFlow that Volcano's own controller runs: it lists Jobs and no steps. Pure."""

from collections.abc import Mapping
from typing import Final

from shared.model.flow_status import JobEntry, JobFlowStatus, StepStatus
from shared.model.phases import JobPhase, StepPhase

_PHASES: Final[Mapping[str, StepPhase]] = {
    JobPhase.PENDING: StepPhase.PENDING,
    JobPhase.RUNNING: StepPhase.RUNNING,
    JobPhase.RESTARTING: StepPhase.RETRYING,
    JobPhase.COMPLETING: StepPhase.RUNNING,
    JobPhase.COMPLETED: StepPhase.COMPLETED,
    JobPhase.ABORTING: StepPhase.SUSPENDED,
    JobPhase.ABORTED: StepPhase.SUSPENDED,
    JobPhase.TERMINATING: StepPhase.RUNNING,
    JobPhase.TERMINATED: StepPhase.TERMINATED,
    JobPhase.FAILED: StepPhase.FAILED,
}


def step_states(status: JobFlowStatus, names: Mapping[str, str]) -> dict[str, StepStatus]:
    """By step: what the status says of steps, else what it says of their Jobs. `names`: the step of each Job."""
    if status.steps:
        return {state.name: state for state in status.steps}
    found = (_state(names[entry.name], entry) for entry in status.job_status_list if entry.name in names)
    return {state.name: state for state in found if state is not None}


def _state(step: str, entry: JobEntry) -> StepStatus | None:
    """None for a Job without a phase: its step has not begun."""
    phase = _PHASES.get(entry.state)
    if phase is None:
        return None
    ended = entry.end_timestamp if phase.ended else None
    return StepStatus(
        name=step, phase=phase, attempts=1, start_time=entry.start_timestamp, completion_time=ended, jobs=(entry.name,)
    )
