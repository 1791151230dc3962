"""`suspend`, and quotas of policies: nothing new starts; running Jobs continue (docs/design/jobflow-api.md, section 1)."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepWait
from shared.model.step import Step


def suspended(context: FlowContext, step: Step) -> StepWait | None:
    """The wait of a step while the flow is suspended, from which `finally` is exempt, or held by a quota."""
    if context.is_suspended and step.name not in context.plan.final_names:
        above = context.suspended_by
        return StepWait((f"JobFlow {above} is suspended" if above and not context.suspend else "suspended",))
    if context.is_held:
        return StepWait((context.held_by or "a quota is being checked",))
    return None
