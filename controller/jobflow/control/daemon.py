"""`daemon`: a serving step runs until every step that uses it has ended, and then counts as Completed."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import ObservedChild
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase

_UP = (StepPhase.RUNNING, StepPhase.COMPLETED)


def served(context: FlowContext, name: str) -> bool:
    """Whether no open step needs the daemon. A daemon that no step depends on serves the whole flow."""
    plan = context.plan
    users = [follower for follower in plan.followers[name] if plan.serves(follower, name)]
    if not users:
        users = [step.name for step in plan.flows if not step.daemon and name not in plan.targets[step.name]]
    return not context.unfinished(users)


def was_stopped(context: FlowContext, name: str, job: ObservedChild) -> bool:
    """Whether a terminated Job of the daemon was stopped because nothing needed it.

    The status of the Job says so also if the status of the flow does not: it was not stored after the stop was sent.
    """
    sent = job.uid in context.observed.terminate_sent or job.was_stopped
    return sent or served(context, name)


def served_by_loop(context: FlowContext, state: StepStatus) -> bool:
    """Whether a daemon with `for` has started and no open step needs it."""
    return state.attempts > state.attempt_base and served(context, state.name)


def stop_unneeded(context: FlowContext) -> None:
    """Terminate the Jobs of daemons that nobody needs, and of all daemons when only daemons keep the flow open."""
    running = [name for name in context.plan.daemons if not context.steps[name].phase.ended]
    if not running:
        return
    stuck = _stuck(context)
    for name in running:
        if stuck or served(context, name):
            _stop(context, name)


def _stop(context: FlowContext, name: str) -> None:
    for job in context.current_jobs(context.steps[name]):
        if not job.ended:
            context.terminate(job)


def _stuck(context: FlowContext) -> bool:
    """Whether only daemons run and every other step waits for the end of a step, so that the flow would hang."""
    if context.creates or context.reads or context.is_suspended:
        return False
    up = [context.steps[name] for name in context.plan.daemons]
    if not any(state.phase in _UP for state in up) or any(not _settled(state.phase) for state in up):
        return False
    others = [context.steps[step.name] for step in context.plan.flows if not step.daemon]
    return all(
        state.phase.ended
        or (state.phase is StepPhase.WAITING and not state.reason and context.only_targets(state.name))
        for state in others
    )


def _settled(phase: StepPhase) -> bool:
    return phase.ended or phase in (StepPhase.RUNNING, StepPhase.WAITING)
