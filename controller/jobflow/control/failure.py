"""`failureStrategy`, and stopping a flow: what may still start after a failure (jobflow-api.md 3.3)."""

from controller.jobflow.decide.context import Turn
from controller.jobflow.decide.plan import condition_of
from controller.jobflow.gate_result import End, skip
from controller.jobflow.reasons import FLOW_STOPPED
from shared.model.phases import DependsCondition, FailureStrategy
from shared.model.step import Step

STOPPED = {"Terminated": "the flow was terminated", "DeadlineExceeded": "the flow's deadline has passed"}
"""Outcomes that stop a flow, in words."""


def stopped(turn: Turn, step: Step) -> End | None:
    """The end of a step that may not start any more."""
    if step.name in turn.plan.final_names:
        return None
    if turn.stopping:
        return skip(FLOW_STOPPED, STOPPED[turn.outcome])
    if not turn.failed or strategy(turn) is FailureStrategy.CONTINUE or _reacts(step):
        return None
    return skip(FLOW_STOPPED, "a step has failed")


def halts(turn: Turn, step: Step) -> bool:
    """Whether a step that has started must not go on: no further attempt or iteration, and its Jobs are terminated."""
    if step.name in turn.plan.final_names:
        return False
    if turn.stopping:
        return True
    return turn.failed and strategy(turn) is FailureStrategy.FAIL_FAST and not _reacts(step) and not step.daemon


def strategy(turn: Turn) -> FailureStrategy:
    """`failureStrategy` with its default."""
    return turn.plan.spec.failure_strategy or FailureStrategy.STOP


def _reacts(step: Step) -> bool:
    return condition_of(step) is not DependsCondition.COMPLETED
