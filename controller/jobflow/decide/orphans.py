"""Jobs of the flow that belong to no current attempt: they are terminated, and deleted where they are not retained."""

from collections.abc import Iterator

from controller.decision import Delete, Note
from controller.jobflow.control import failure
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import ObservedChild
from shared.model.phases import JobPhase, RetainPolicy


def find_orphans(context: FlowContext) -> None:
    """Terminate unfinished Jobs that are not the current attempt of any step."""
    _report_late_edits(context)
    running = [job for job in context.jobs.values() if not _at_rest(job) and not job.deleting]
    if not running:
        return
    wanted = {job.name for state in context.begun() for job in context.current_jobs(state)}
    for job in running:
        if job.name in wanted or _is_unrecorded(context, job):
            continue
        context.terminate(job)
        context.abandoned += 1
        if job.step in context.steps:
            context.orphaned_steps.add(job.step)
            _skip_attempt(context, job)
        elif job.step and job.uid not in context.observed.terminate_sent:
            said = (
                f"{job.kind.kind} {job.name} of step {job.step}, which is no longer in spec, is terminated and removed"
            )
            context.notes.append(Note("SpecChangedTooLate", said, "Warning"))


def _at_rest(job: ObservedChild) -> bool:
    """Whether none of its pods runs. An Aborted Job ignores a terminate Command, so it is not waited for."""
    return job.ended or job.phase is JobPhase.ABORTED


def _is_unrecorded(context: FlowContext, job: ObservedChild) -> bool:
    """Whether it was created for an attempt whose status write was lost. The step takes such a Job up, if it continues."""
    state = context.steps.get(job.step)
    if state is None or state.name not in context.open or failure.halts(context, context.plan.steps[job.step]):
        return False
    if context.plan.steps[job.step].for_ is None:
        return job.index is None and job.attempt == state.attempts
    if job.index is None:
        return False
    tried = state.iterations.tried(job.index) if state.iterations is not None else 0
    return job.attempt == state.attempt_base + tried


def _skip_attempt(context: FlowContext, job: ObservedChild) -> None:
    """Let no later attempt take up a terminated Job, if the write of the status with its number was lost."""
    state = context.steps[job.step]
    if job.step in context.open and job.attempt >= state.attempts and not context.current_jobs(state):
        context.change(job.step, attempts=job.attempt + 1, attempt_base=job.attempt + 1)


def _report_late_edits(context: FlowContext) -> None:
    """Report the edited steps whose Job had been created before the edit."""
    if context.status.observed_generation in (None, context.observed.flow.metadata.generation):
        return
    for state in context.begun():
        made = {job.digest for job in context.current_jobs(state)} - {
            "",
            context.plan.digests[state.name],
        }
        if made:
            said = f"step {state.name} was edited after its Job had been created; the Job runs as it was"
            context.notes.append(Note("SpecChangedTooLate", said, "Warning"))


def removals(context: FlowContext) -> Iterator[Delete]:
    """Ended Jobs to delete once the status has recorded their results."""
    clean = context.plan.spec.job_retain_policy is RetainPolicy.DELETE
    for job in context.jobs.values():
        if job.deleting:
            continue
        if context.completion_time is not None:
            unwanted = clean
        elif not _at_rest(job):
            continue
        elif job.step and job.step not in context.steps:
            unwanted = True
        else:
            unwanted = clean and _superseded(context, job)
        if unwanted:
            yield Delete(job.kind, context.observed.flow.metadata.namespace, job.name, job.uid)


def _superseded(context: FlowContext, job: ObservedChild) -> bool:
    """Whether it is a failed attempt that another one follows."""
    state = context.steps.get(job.step)
    if state is None:
        return False
    if job.index is None:
        return job.attempt < state.attempts - 1
    tried = state.iterations.tried(job.index) if state.iterations else 0
    return job.attempt < max(state.attempt_base + tried - 1, state.attempt_base)
