"""A change of the flow's spec that a Command asks for.

It is sent as a patch before anything else happens, so that webhooks, policies and quotas judge it as they judge any other
change of the flow, and so that no step starts under the old spec. The patch leaves the Command's uid in an annotation:
after a crash, or a conflict in the status write that follows, the Command counts as the one that made it.
"""

from typing import Any

from controller.decision import Patch
from controller.jobflow.commands.effect import CommandEffect, Effect, refused
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand
from shared.kinds import JOBFLOW
from shared.names import COMMANDED_BY


def is_made(context: FlowContext, command: FlowCommand) -> bool:
    """Whether the last change of the spec by a Command is this Command's."""
    return context.observed.flow.metadata.annotations.get(COMMANDED_BY) == command.uid


def change_spec(context: FlowContext, command: FlowCommand, change: dict[str, Any]) -> CommandEffect:
    """CHANGES_SPEC, with the patch in `context.spec_change`; or a refusal, for example by a policy."""
    metadata = context.observed.flow.metadata
    if refusal := context.observed.refusals.get(metadata.name):
        return refused(refusal.message)
    patch = {"metadata": {"annotations": {COMMANDED_BY: command.uid}}, "spec": change}
    context.spec_change = Patch(JOBFLOW, metadata.namespace, metadata.name, patch, uid=metadata.uid)
    return CommandEffect(Effect.CHANGES_SPEC)
