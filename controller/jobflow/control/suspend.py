"""`suspend`: nothing new starts; running Jobs continue (docs/design/jobflow-api.md, section 1)."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepWait
from shared.model.step import Step


def suspended(context: FlowContext, step: Step) -> StepWait | None:
    """The wait of a step while the flow is suspended. `finally` is exempt."""
    if context.is_suspended and step.name not in context.plan.final_names:
        above = context.suspended_by
        return StepWait((f"JobFlow {above} is suspended" if above and not context.suspend else "suspended",))
    return None
