"""The change of the flow's spec that a RetryJobFlow asks for: new values of params, another deadline.

It is sent as a patch before any step is put back, so that webhooks, policies and quotas judge it as they judge any other
change of the flow. The patch leaves the Command's uid in an annotation: after a crash it is not made a second time.
"""

from typing import Any

from controller.decision import Patch
from controller.jobflow.commands.effect import CommandEffect, Effect, refused
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand
from shared.kinds import JOBFLOW
from shared.model.command_message import RetryMessage
from shared.names import RETRIED_BY


def change_spec(context: FlowContext, command: FlowCommand, order: RetryMessage) -> CommandEffect | None:
    """None when the spec is as the Command wants it; CHANGES_SPEC, with the patch in `context.spec_change`; or a refusal."""
    metadata = context.observed.flow.metadata
    if unknown := [name for name in order.params if name not in context.plan.params]:
        known = ", ".join(context.plan.params) or "none"
        return refused(f"the flow has no param {', '.join(unknown)}; it has {known}")
    change = _change(context, order)
    if not change or metadata.annotations.get(RETRIED_BY) == command.uid:
        return None
    if refusal := context.observed.refusals.get(metadata.name):
        return refused(refusal.message)
    patch = {"metadata": {"annotations": {RETRIED_BY: command.uid}}, "spec": change}
    context.spec_change = Patch(JOBFLOW, metadata.namespace, metadata.name, patch, uid=metadata.uid)
    return CommandEffect(Effect.CHANGES_SPEC)


def _change(context: FlowContext, order: RetryMessage) -> dict[str, Any]:
    """The fields of the spec that differ, as a merge patch."""
    change: dict[str, Any] = {}
    params = context.plan.params | order.params
    if params != context.plan.params:
        change["params"] = [{"name": name, "value": value} for name, value in params.items()]
    if order.active_deadline_seconds not in (None, context.plan.spec.active_deadline_seconds):
        change["activeDeadlineSeconds"] = order.active_deadline_seconds
    return change
