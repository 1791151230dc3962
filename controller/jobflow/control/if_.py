"""`if`: evaluated once the dependency says go; false skips the step (jobflow-api.md 2)."""

from controller.jobflow.decide.context import Turn
from controller.jobflow.decide.values import ExpressionFault, condition_of
from controller.jobflow.gate_result import End, fail, skip
from controller.jobflow.reasons import CONDITION_FALSE, INVALID_EXPRESSION
from shared.model.step import Step


def condition(turn: Turn, step: Step) -> End | None:
    """The end of a step whose condition is false or has no value."""
    if step.if_ is None:
        return None
    try:
        holds = condition_of(turn, step, step.if_)
    except ExpressionFault as fault:
        return fail(INVALID_EXPRESSION, str(fault))
    return None if holds else skip(CONDITION_FALSE, f"if: {step.if_[:200]} is false")
