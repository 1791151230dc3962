"""ApproveStep: a person answers for a step with `approve`."""

from controller.decision import Note
from controller.jobflow.commands.effect import CommandEffect, done, refused, without_effect
from controller.jobflow.model.context import FlowContext, started
from controller.jobflow.model.observed import FlowCommand
from shared.model.command_message import ApprovalDecision, ApproveMessage, parse_message
from shared.model.flow_status import Approval
from shared.names import CREATOR
from shared.timestamp import epoch_or_none


def approve(context: FlowContext, command: FlowCommand) -> CommandEffect:
    """Record the answer. Raises MessageFault."""
    found = parse_message(command.action, command.message)
    if not isinstance(found, ApproveMessage):
        return refused("its message must be JSON with step, attempt and decision; use jobflow approve")
    return _obstacle(context, command, found) or _recorded(context, command, found)


def _obstacle(context: FlowContext, command: FlowCommand, found: ApproveMessage) -> CommandEffect | None:
    """Why the answer does not count."""
    rules, step = context.observed.approvals, context.plan.steps.get(found.step)
    if rules.missing:
        return refused(f"approvals do not count: {rules.missing}")
    if (epoch_or_none(command.created) or 0.0) < rules.since:
        return refused("it was sent before the API server compared senders of approvals; send it again")
    if not command.approver:
        return refused("it does not say who sent it; use jobflow approve")
    if step is None or step.approve is None:
        return refused(f'there is no step "{found.step}" with approve')
    state = context.steps[found.step]
    if state.phase.ended:
        return without_effect(f"step {found.step} has ended: {state.phase}")
    if not started(state):
        return without_effect(f"step {found.step} does not wait for approval yet")
    if found.attempt != state.attempts:
        return without_effect(f"step {found.step} is at attempt {state.attempts}, not {found.attempt}")
    if state.approval is not None:
        return without_effect(f"step {found.step} has an answer: {state.approval.decision}")
    return _of_the_creator(context, command, found)


def _of_the_creator(context: FlowContext, command: FlowCommand, found: ApproveMessage) -> CommandEffect | None:
    if found.decision is ApprovalDecision.REJECTED or context.observed.approvals.own_flows:
        return None
    creator = context.observed.flow.metadata.annotations.get(CREATOR, "")
    if not creator:
        return refused(
            "it is not known who created the flow; that user may approve it only if a JobFlowPolicy allows it"
        )
    if creator == command.approver:
        return refused(
            f"{creator} created the flow; a JobFlowPolicy must allow to approve own flows (approvals.ownFlows)"
        )
    return None


def _recorded(context: FlowContext, command: FlowCommand, found: ApproveMessage) -> CommandEffect:
    approval = Approval(
        decision=found.decision, user=command.approver, time=command.created or context.now_text, message=found.message
    )
    context.change(found.step, approval=approval)
    said = f"step {found.step} was {found.decision.lower()} by {command.approver}"
    text = f"{said}: {found.message}" if found.message else said
    kind = "Normal" if found.decision is ApprovalDecision.APPROVED else "Warning"
    context.notes.append(Note(f"Step{found.decision}", text[:1024], kind))
    return done(said)
