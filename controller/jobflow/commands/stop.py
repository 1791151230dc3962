"""TerminateJobFlow: stops a flow; `finally` runs, unless the message names attempts of it (`jobflow stop --force`).
The `finally` of flows that steps run is ended where the message names the attempts of these steps.

A stop that arrives twice does not end `finally`: an attempt of it ends only if the message names it, and only in the round
(since the last Retry or Restart) that the sender saw.
"""

from collections.abc import Mapping

from controller.jobflow.commands.effect import CommandEffect, done, refused, without_effect
from controller.jobflow.commands.words import named, steps_that
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand
from shared.model.command_message import StopMessage, parse_message
from shared.model.flow_status import StepStatus
from shared.model.phases import FlowOutcome


def stop(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Stop the flow, and the attempts of `finally` that the message names. Raises MessageFault."""
    message = parse_message(command.action, command.message)
    finals, flows = (message.finally_, message.flows) if isinstance(message, StopMessage) else ({}, {})
    if unknown := [name for name in finals if name not in context.plan.final_names]:
        return refused(f"{', '.join(unknown)}: no such step in `finally`")
    if unknown := [name for name in flows if not _runs_a_flow(context, name)]:
        return refused(f"{', '.join(unknown)}: no such step with `flow`")
    if context.completion_time is not None:
        return without_effect("the flow has ended")
    said = [_stop_flow(context)] if context.flows_open and not context.stopping else []
    said += _stop_finals(context, finals) + _stop_below(context, flows)
    return done("; ".join(said)) if said else without_effect(_why_nothing(context, {**finals, **flows}))


def _runs_a_flow(context: FlowContext, name: str) -> bool:
    step = context.plan.steps.get(name)
    return step is not None and step.flow is not None


def _stop_flow(context: FlowContext) -> str:
    context.outcome = FlowOutcome.TERMINATED
    running = context.with_children()
    return f"the Jobs of {named(running)} are terminated" if running else "no other step starts"


def _stop_finals(context: FlowContext, finals: Mapping[str, int]) -> list[str]:
    ended = _marked(context, finals)
    return [f"{steps_that(ended, 'is', 'are')} ended (finally)"] if ended else []


def _stop_below(context: FlowContext, flows: Mapping[str, int]) -> list[str]:
    ended = _marked(context, flows)
    return [f"`finally` is ended in what {steps_that(ended, 'runs', 'run')}"] if ended else []


def _marked(context: FlowContext, attempts: Mapping[str, int]) -> list[str]:
    """Mark those of the named attempts that may be ended."""
    ended = [name for name, attempt in attempts.items() if _may_end(context.steps[name], attempt)]
    for name in ended:
        context.change(name, stopped=True)
    return context.in_order(ended)


def _may_end(state: StepStatus, attempt: int) -> bool:
    """Whether the attempt is of the present round: one that was begun, or the first if none was."""
    newest = max(state.attempts, state.attempt_base + 1)
    return not state.phase.ended and not state.stopped and state.attempt_base < attempt <= newest


def _why_nothing(context: FlowContext, named_attempts: Mapping[str, int]) -> str:
    if named_attempts:
        reasons = [_why_not(context.steps[name], attempt) for name, attempt in named_attempts.items()]
        return "; ".join(reasons)
    if context.flows_open:
        below = [name for name in context.with_children() if _runs_a_flow(context, name)]
        how = (
            f"; `jobflow stop --force` also ends `finally` of what {steps_that(below, 'runs', 'run')}" if below else ""
        )
        return f"the flow is being stopped already{how}"
    return "only `finally` runs, which a stop does not end; `jobflow stop --force` or spec.finallyDeadlineSeconds do"


def _why_not(state: StepStatus, attempt: int) -> str:
    if state.phase.ended:
        return f"step {state.name} has ended: {state.phase}"
    if state.stopped:
        return f"step {state.name} is being ended already"
    return (
        f"attempt {attempt} of step {state.name} is not of this run, which began with attempt {state.attempt_base + 1}"
    )
