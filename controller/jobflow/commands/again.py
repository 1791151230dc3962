"""RetryJobFlow and RestartJobFlow: run steps again.

While a flow is being stopped, or its `finally` runs, a retry is held until the flow has ended: putting steps back then
would undo the stop or end the clean-up.
"""

from typing import Any

from msgspec.structs import replace

from controller.jobflow.commands.begin_again import begin_again, fresh, restart_clock, resumed
from controller.jobflow.commands.claim import claim_fault
from controller.jobflow.commands.continue_children import continued
from controller.jobflow.commands.effect import CommandEffect, Effect, done, refused, without_effect
from controller.jobflow.commands.selection import Selection, backing_off, select
from controller.jobflow.commands.spec_change import change_spec, is_made
from controller.jobflow.commands.words import steps_that
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand
from shared.model.command_message import RetryMessage, parse_message
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Loop


def restart(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Run every step again."""
    if fault := claim_fault(context, command):
        return refused(fault)
    for name in context.steps:
        context.steps[name] = fresh(context.steps[name])
    begin_again(context)
    return done("all steps run again" + _later(context))


def retry(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Run the steps that the message names again, or those that failed. Raises MessageFault."""
    found = parse_message(command.action, command.message)
    order = found if isinstance(found, RetryMessage) else RetryMessage()
    if context.completion_time is None and (context.stopping or not context.flows_open):
        return CommandEffect(Effect.HELD)
    if fault := claim_fault(context, command):
        return refused(fault)
    selected = select(context, order)
    if isinstance(selected, CommandEffect):
        return selected
    if not selected and not (_changes(order) and context.completion_time is None):
        return without_effect(_why_nothing(context))
    if unknown := [name for name in order.params if name not in context.plan.params]:
        known = ", ".join(context.plan.params) or "none"
        return refused(f"the flow has no param {', '.join(unknown)}; it has {known}")
    change = _change(context, order)
    if change and not is_made(context, command):
        return change_spec(context, command, change)
    return _run_again(context, order, selected)


def _change(context: FlowContext, order: RetryMessage) -> dict[str, Any]:
    """The fields of the spec that differ, as a merge patch."""
    change: dict[str, Any] = {}
    params = context.plan.params | order.params
    if params != context.plan.params:
        change["params"] = [{"name": name, "value": value} for name, value in params.items()]
    if order.active_deadline_seconds not in (None, context.plan.spec.active_deadline_seconds):
        change["activeDeadlineSeconds"] = order.active_deadline_seconds
    return change


def _changes(order: RetryMessage) -> bool:
    return bool(order.params) or order.active_deadline_seconds is not None


def _run_again(context: FlowContext, order: RetryMessage, selected: Selection) -> CommandEffect:
    for name in selected.skipping_backoff:
        _skip_backoff(context, context.steps[name])
    for name in selected.steps:
        whole = selected.whole or _reads_params(context.plan.loops.get(name), order)
        going_on = None if whole or order.params else continued(context, context.plan.steps[name], context.steps[name])
        context.steps[name] = going_on or (fresh if whole else resumed)(context.steps[name])
    for name in selected.finals:
        context.steps[name] = fresh(context.steps[name])
    if selected.steps or selected.finals:
        if order.named:
            _disregard_failures(context)
        begin_again(context)
    elif order.active_deadline_seconds is not None:
        restart_clock(context)
    return done(_said(context, order, selected))


def _skip_backoff(context: FlowContext, state: StepStatus) -> None:
    """Recorded in the state, since the next attempt may have to wait for something else."""
    found = state.iterations
    if found is None:
        context.retry_at(state.name, None, context.now)
        context.change(state.name, without_backoff=True)
        return
    waiting = backing_off(state)
    for index in waiting:
        context.retry_at(state.name, index, context.now)
    retries = tuple(replace(one, without_backoff=True) if one.index in waiting else one for one in found.retries)
    context.change(state.name, iterations=replace(found, retries=retries))


def _reads_params(loop: Loop | None, order: RetryMessage) -> bool:
    """Whether the items of a loop may follow params that change: then its completed iterations belong to other items."""
    if loop is None or not order.params:
        return False
    return any("params" in text for text in (loop.expression, loop.if_, loop.while_) if text)


def _disregard_failures(context: FlowContext) -> None:
    """Let failures that are left as they are stop no step that was named."""
    for name, state in context.steps.items():
        if state.phase in (StepPhase.FAILED, StepPhase.TERMINATED) and not state.disregarded:
            context.steps[name] = replace(state, disregarded=True)


def _said(context: FlowContext, order: RetryMessage, selected: Selection) -> str:
    parts = []
    if selected.steps:
        parts.append(steps_that(context.in_order(selected.steps), "runs again", "run again"))
    if selected.finals and not selected.steps:
        parts.append(steps_that(context.in_order(selected.finals), "runs again", "run again"))
    if selected.skipping_backoff:
        parts.append(steps_that(context.in_order(selected.skipping_backoff), "starts", "start") + " without back-off")
    if order.params:
        values = "param" if len(order.params) == 1 else "params"
        parts.append(f"{values} {', '.join(order.params)} {'has' if len(order.params) == 1 else 'have'} the new value")
    if order.active_deadline_seconds is not None:
        parts.append(f"the flow may take {order.active_deadline_seconds} s from now")
    return "; ".join(parts) + (_later(context) if selected.steps or selected.skipping_backoff else "")


def _later(context: FlowContext) -> str:
    """What the steps must wait for, as the end of a message."""
    if context.suspend:
        return ", once the flow, which is suspended, is resumed"
    return f", once the quota has room: {context.held_by}" if context.held_by else ""


def _why_nothing(context: FlowContext) -> str:
    waiting = [name for name in context.plan.steps if context.steps[name].phase is StepPhase.RETRYING]
    hint = f"; {steps_that(waiting, 'waits', 'wait')} for the next attempt, which `jobflow retry --now` starts at once"
    return "none of the flow's steps has failed" + (hint if waiting else "")
