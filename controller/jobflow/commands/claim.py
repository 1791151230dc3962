"""Commands that make a flow create objects again: their sender must be allowed to create what the flow creates."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand
from shared.names import RESOURCE_KINDS
from shared.resource_steps.rights import kinds_in, verbs_of, write_claim
from shared.timestamp import epoch_or_none


def claim_fault(context: FlowContext, command: FlowCommand) -> str:
    """Why the Command may not start steps again, or ""."""
    granted = context.observed.granted
    if not granted.checked or not granted.claim:
        return ""
    if (epoch_or_none(command.created) or 0.0) < granted.since:
        return "it was sent before the API server compared the rights of senders; send it again"
    if granted.claim <= command.claim:
        return ""
    kinds, claim = ", ".join(kinds_in(granted.claim)), write_claim(granted.claim)
    return (
        f"the flow creates {kinds}, and it was not checked whether the sender may {verbs_of(granted.claim)} them:"
        f" send it again with the annotation {RESOURCE_KINDS}: {claim}"
    )
