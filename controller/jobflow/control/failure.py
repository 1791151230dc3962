"""`failureStrategy`, and stopping a flow: what may still start after a failure (docs/design/jobflow-api.md, section 3.3)."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepEnd, skip
from controller.jobflow.model.plan import condition_of
from controller.jobflow.reasons import FLOW_STOPPED
from shared.model.phases import DependsCondition, FailureStrategy
from shared.model.step import Step

STOPPED = {"Terminated": "the flow was terminated", "DeadlineExceeded": "the flow's deadline has passed"}
"""Outcomes that stop a flow, in words."""


def stopped(context: FlowContext, step: Step) -> StepEnd | None:
    """The end of a step that the flow's stop or failure keeps from starting; None: it may start."""
    if step.name in context.plan.final_names:
        return None
    if context.stopping:
        return skip(FLOW_STOPPED, STOPPED[context.outcome])
    if not context.failed or strategy(context) is FailureStrategy.CONTINUE or _reacts(step):
        return None
    return skip(FLOW_STOPPED, "a step has failed")


def halts(context: FlowContext, step: Step) -> bool:
    """Whether a step that has started must not go on: no further attempt or iteration, and its Jobs are terminated."""
    if step.name in context.plan.final_names:
        return False
    if context.stopping:
        return True
    return context.failed and strategy(context) is FailureStrategy.FAIL_FAST and not _reacts(step) and not step.daemon


def strategy(context: FlowContext) -> FailureStrategy:
    """`failureStrategy` with its default."""
    return context.plan.spec.failure_strategy or FailureStrategy.STOP


def _reacts(step: Step) -> bool:
    return condition_of(step) is not DependsCondition.COMPLETED
