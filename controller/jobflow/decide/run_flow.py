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
    return deletions


def _start_clock(context: FlowContext) -> None:
    if context.start_time is None and not context.is_suspended:
        created = () if context.reset else (job.created for job in context.jobs.values() if job.created)
        context.start_time = min(created, default=context.now_text)
