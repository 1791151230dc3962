"""SuspendJobFlow and ResumeJobFlow: set `spec.suspend` and nothing else."""

from controller.jobflow.commands.effect import CommandEffect, done, without_effect
from controller.jobflow.commands.spec_change import change_spec, is_made
from controller.jobflow.commands.words import steps_that
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand


def suspend(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Nothing new starts; running Jobs continue."""
    return _set_suspend(context, command, True)


def resume(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Steps start again."""
    return _set_suspend(context, command, False)


def _set_suspend(context: FlowContext, command: FlowCommand, value: bool) -> CommandEffect:
    if is_made(context, command):
        return done(_said(context, value))
    if context.suspend is value:
        return without_effect(f"the flow is {'suspended already' if value else 'not suspended'}")
    return change_spec(context, command, {"suspend": value})


def _said(context: FlowContext, value: bool) -> str:
    if context.completion_time is not None:
        return f"the flow has ended; it would {'start nothing' if value else 'start steps'} if it were run again"
    if not value:
        return "the flow continues"
    running = context.with_children()
    return f"nothing new starts; {steps_that(running, 'continues', 'continue')}" if running else "nothing new starts"
