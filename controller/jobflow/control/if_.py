"""`if`: evaluated once the dependency lets the step start; false skips the step (docs/design/jobflow-api.md, section 2)."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import ExpressionFault, condition_of
from controller.jobflow.model.gate_result import StepEnd, fail, skip
from controller.jobflow.reasons import CONDITION_FALSE, INVALID_EXPRESSION
from shared.model.step import Step


def condition(context: FlowContext, step: Step) -> StepEnd | None:
    """The end of a step whose condition is false or cannot be evaluated; None: it is true or absent."""
    if step.if_ is None:
        return None
    try:
        holds = condition_of(context, step, step.if_)
    except ExpressionFault as fault:
        return fail(INVALID_EXPRESSION, str(fault))
    return None if holds else skip(CONDITION_FALSE, f"if: {step.if_[:200]} is false")
