"""Objects for which a condition of their step has no value. At first this means "not yet", then it is shown on the
step, and at last it ends the attempt."""

from typing import Final

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import ObservedChild

TOLD_AFTER: Final = 30.0  # seconds
ENDED_AFTER: Final = 3600.0


def is_told(context: FlowContext, child: ObservedChild) -> bool:
    """Whether the fault is old enough to be shown on the step."""
    return _older(context, child, TOLD_AFTER)


def too_long(context: FlowContext, child: ObservedChild) -> str:
    """ConditionError if the fault has lasted so long that the attempt fails; a child that still runs is stopped."""
    if not _older(context, child, ENDED_AFTER):
        return ""
    if not child.ended:
        context.terminate(child)
    return reasons.CONDITION_ERROR


def words(child: ObservedChild) -> str:
    """The fault, for people."""
    return f"a condition of the step has no value on {child.kind.kind} {child.name}: {child.fault}"[:512]


def _older(context: FlowContext, child: ObservedChild, seconds: float) -> bool:
    if not child.fault:
        return False
    until = child.fault_since + seconds
    if context.now < until:
        context.wake_at(until)
        return False
    return True
