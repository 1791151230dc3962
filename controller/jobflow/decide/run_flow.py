"""The order in which one pass over a flow works: Jobs are read, Commands carried out, then steps moved.

The order matters: what Jobs did is recorded before a Command or a deletion can make it disappear, and the outcome of the
flow is settled before `finally` may begin.
"""

from controller.decision import Delete
from controller.jobflow.commands.run_commands import run_commands
from controller.jobflow.control.daemon import stop_unneeded
from controller.jobflow.control.deadline import deadline
from controller.jobflow.control.finally_ import finally_deadline, finish, may_begin
from controller.jobflow.decide.advance import advance
from controller.jobflow.decide.observe_jobs import observe_jobs
from controller.jobflow.decide.orphans import find_orphans
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import ObservedChild
from shared.policy.quota.places import PlaceState


def run_flow(context: FlowContext) -> tuple[Delete, ...]:
    """Run one pass; returns the deletions of Commands to do once the status is stored."""
    if context.completion_time is None:
        observe_jobs(context)
    deletions = run_commands(context)
    if context.completion_time is None and not context.plan.fault and context.spec_change is None:
        _start_clock(context)
        deadline(context)
        find_orphans(context)
        advance(context, context.plan.order)
        stop_unneeded(context)
        if may_begin(context):
            finally_deadline(context)
            advance(context, [step.name for step in context.plan.finals])
            finish(context)
        _write_place(context)
        _wake_for_held_commands(context)
    return deletions


def _wake_for_held_commands(context: FlowContext) -> None:
    """Reconcile again if the flow has just ended and Commands were held until then. Its own status write wakes nothing."""
    if context.completion_time is not None and any(one.uid not in context.handled for one in context.observed.commands):
        context.wake_at(context.now)


def _write_place(context: FlowContext) -> None:
    """Have the status by which the flow is counted written at once, and reconcile again if the flow waits for nothing
    else."""
    quota = context.observed.quota
    if quota is None or quota.state is PlaceState.OPEN:
        return
    context.urgent = True
    idle = context.completion_time is not None or (context.is_suspended and context.flows_open)
    if quota.state is not PlaceState.HELD and not idle:
        context.wake_at(context.now)


def _start_clock(context: FlowContext) -> None:
    if context.start_time is None and not context.is_suspended and not context.is_held:
        created = (job.created for job in context.jobs.values() if job.created and _is_current(context, job))
        context.start_time = min(created, default=context.now_text)


def _is_current(context: FlowContext, job: ObservedChild) -> bool:
    """Whether it was created after the last Command that made the flow begin again."""
    state = context.steps.get(job.step)
    return not context.reset and (state is None or job.attempt >= state.attempt_base)
