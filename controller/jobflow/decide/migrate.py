"""Flows that Volcano's controller ran before ours (docs/design/jobflow-api.md, section 7)."""

from controller.decision import Decision
from controller.jobflow.commands.run_commands import without_effect_on_ended
from controller.jobflow.model.observed import ObservedFlow
from controller.jobflow.model.plan import Plan
from shared.model.flow import JobFlow
from shared.model.flow_status import Attempt, JobFlowStatus, StepStatus
from shared.model.phases import FlowPhase, StepPhase

_ENDED = (FlowPhase.SUCCEED, FlowPhase.FAILED)


def finished_by_volcano(flow: JobFlow) -> bool:
    """Whether Volcano's controller finished the flow. Such a flow is never changed."""
    return flow.status.observed_generation is None and flow.status.state.phase in _ENDED


def left_alone(observed: ObservedFlow) -> Decision:
    """Such a flow stays as it is; Commands on it are answered."""
    why = "the flow was finished by Volcano's controller, and is never changed"
    answers = tuple(without_effect_on_ended(observed, why))
    return Decision(cleanup=tuple(delete for delete, _ in answers), notes=tuple(note for _, note in answers))


def steps_of(status: JobFlowStatus, plan: Plan) -> dict[str, StepStatus]:
    """The state of every step: as recorded in status, else from Volcano's lists, else Waiting."""
    known = {state.name: state for state in status.steps}
    if not known and status.observed_generation is None and status.state.phase is not None:
        known = _from_volcano(status, plan)
    return {name: known.get(name) or StepStatus(name=name) for name in plan.steps}


def _from_volcano(status: JobFlowStatus, plan: Plan) -> dict[str, StepStatus]:
    """Ended steps only. Running ones are found by their Jobs' names."""
    lists = (
        (StepPhase.COMPLETED, status.completed_jobs),
        (StepPhase.FAILED, status.failed_jobs),
        (StepPhase.TERMINATED, status.terminated_jobs),
    )
    phases = {job: phase for phase, jobs in lists for job in jobs}
    entries = {entry.name: entry for entry in status.job_status_list}
    found: dict[str, StepStatus] = {}
    for name, job in plan.first_job.items():
        if job not in phases:
            continue
        entry = entries.get(job)
        begun, ended = (entry.start_timestamp, entry.end_timestamp) if entry else (None, None)
        phase = phases[job]
        found[name] = StepStatus(
            name=name,
            phase=phase,
            reason="" if phase is StepPhase.COMPLETED else f"Job{phase}",
            attempts=1,
            start_time=begun,
            completion_time=ended,
            jobs=(job,),
            last_attempt=Attempt(job=job, phase=phase, start_time=begun, completion_time=ended),
        )
    return found
