"""`daemon`: a serving step runs until every step that uses it has ended, and then counts as Completed."""

from controller.jobflow.decide.context import Turn
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase

_UP = (StepPhase.RUNNING, StepPhase.COMPLETED)


def served(turn: Turn, name: str) -> bool:
    """Whether nobody needs the daemon any more. One that no step depends on serves the whole flow."""
    plan = turn.plan
    users = [follower for follower in plan.followers[name] if plan.serves(follower, name)]
    if not users:
        users = [step.name for step in plan.flows if not step.daemon and name not in plan.targets[step.name]]
    return not turn.unfinished(users)


def served_by_loop(turn: Turn, state: StepStatus) -> bool:
    """Whether a daemon of many Jobs, which has begun, needs no further ones."""
    return state.attempts > state.attempt_base and served(turn, state.name)


def stop_unneeded(turn: Turn) -> None:
    """Terminate the Jobs of daemons that have served, or on which the flow would wait for ever."""
    running = [name for name in turn.plan.daemons if not turn.steps[name].phase.ended]
    if not running:
        return
    stuck = _stuck(turn)
    for name in running:
        if stuck or served(turn, name):
            _stop(turn, name)


def _stop(turn: Turn, name: str) -> None:
    for job in turn.current_jobs(turn.steps[name]):
        if not job.ended:
            turn.kill(job)


def _stuck(turn: Turn) -> bool:
    """Only daemons run, and every other step waits for the end of some step: nothing would ever move again."""
    if turn.creates or turn.wants or turn.suspend:
        return False
    up = [turn.steps[name] for name in turn.plan.daemons]
    if not any(state.phase in _UP for state in up) or any(not _settled(state.phase) for state in up):
        return False
    others = [turn.steps[step.name] for step in turn.plan.flows if not step.daemon]
    return all(
        state.phase.ended or (state.phase is StepPhase.WAITING and not state.reason and turn.only_targets(state.name))
        for state in others
    )


def _settled(phase: StepPhase) -> bool:
    return phase.ended or phase in (StepPhase.RUNNING, StepPhase.WAITING)
