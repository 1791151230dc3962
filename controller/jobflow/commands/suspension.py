"""SuspendJobFlow and ResumeJobFlow: set `spec.suspend` and nothing else."""

from controller.decision import Patch
from controller.jobflow.commands.effect import CommandEffect, done, refused, without_effect
from controller.jobflow.commands.words import verb
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand
from shared.kinds import JOBFLOW


def suspend(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Nothing new starts; running Jobs go on."""
    return _set_suspend(context, True)


def resume(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Steps start again."""
    return _set_suspend(context, False)


def _set_suspend(context: FlowContext, value: bool) -> CommandEffect:
    if context.suspend is value:
        return without_effect(f"the flow is {'suspended already' if value else 'not suspended'}")
    metadata = context.observed.flow.metadata
    if refusal := context.observed.refusals.get(metadata.name):  # by a policy, say: the flow goes on as it is
        return refused(refusal.message)
    context.suspend = value
    patch = Patch(JOBFLOW, metadata.namespace, metadata.name, {"spec": {"suspend": value}}, uid=metadata.uid)
    # Only the last of several Commands counts: patches are sent in parallel.
    context.patches[:] = [patch] if value is not context.observed.flow.spec.suspend else []
    return done(_said(context, value))


def _said(context: FlowContext, value: bool) -> str:
    if context.completion_time is not None:
        return f"the flow has ended; it would {'start nothing' if value else 'start steps'} if it were run again"
    if not value:
        return "the flow goes on"
    running = context.in_order(state.name for state in context.begun())
    return f"nothing new starts; {verb(running, 'runs', 'run')} on" if running else "nothing new starts"
