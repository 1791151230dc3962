"""`failureStrategy`, and stopping a flow: what may still start after a failure (docs/design/jobflow-api.md, section 3.3)."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepEnd, skip
from controller.jobflow.model.loop_course import is_failing, loop_course, strategy
from controller.jobflow.model.loop_failure import LoopCourse
from controller.jobflow.model.plan import condition_of
from controller.jobflow.reasons import FLOW_STOPPED, ITERATION_FAILED, UPSTREAM_FAILED
from shared.model.phases import DependsCondition, FailureStrategy, FlowOutcome
from shared.model.step import Step

STOPPED = {"Terminated": "the flow was terminated", "DeadlineExceeded": "the flow's deadline has passed"}
"""Outcomes that stop a flow, in words."""
_FINALLY_OVER = "finallyDeadlineSeconds have passed"
_FORCED = "a Command has ended it"


def stopped(context: FlowContext, step: Step) -> StepEnd | None:
    """The end of a step that the flow's stop or failure keeps from starting; None: it may start."""
    if step.name in context.plan.final_names:
        return skip(FLOW_STOPPED, _final_words(context)) if _ends_final(context, step) else None
    if context.stopping:
        return skip(FLOW_STOPPED, STOPPED[context.outcome])
    if not context.halting or strategy(context) is FailureStrategy.CONTINUE or _reacts(step):
        return None
    if failing := _failing_ancestor(context, step):
        return skip(UPSTREAM_FAILED, f"an iteration of {failing} has failed")
    return skip(FLOW_STOPPED, "a step has failed")


def _failing_ancestor(context: FlowContext, step: Step) -> str | None:
    """The first loop before this step that has failed though some of its iterations still run."""
    failing = context.in_order(context.step_states.halting & context.open)
    return next((name for name in failing if context.plan.ancestors.before(step.name, name)), None)


def halts(context: FlowContext, step: Step) -> bool:
    """Whether a step that has started must not continue: no further attempt or iteration, and its Jobs are terminated."""
    if ends_its_loop(context, step):
        return True
    if step.name in context.plan.final_names:
        return _ends_final(context, step)
    if context.stopping:
        return True
    if strategy(context) is not FailureStrategy.FAIL_FAST or _reacts(step) or step.daemon:
        return False
    if step.for_ is None or step.for_.fail_fast is not False:
        return context.halting
    # Its own failure does not stop it, nor do the steps that were stopped because of it.
    others = context.step_states.halting - {step.name}
    return any(context.steps[name].reason != FLOW_STOPPED for name in others)


def _ends_final(context: FlowContext, step: Step) -> bool:
    """Whether a step of `finally` must not continue."""
    return bool(context.finally_outcome) or context.steps[step.name].stopped


def _final_words(context: FlowContext) -> str:
    return _FINALLY_OVER if context.finally_outcome else _FORCED


def ends_its_loop(context: FlowContext, step: Step) -> bool:
    """Whether a failed iteration of this very step stops its other iterations."""
    return is_failing(context, step) and loop_course(context, step) is LoopCourse.TERMINATE


def halt_reason(context: FlowContext, step: Step) -> str:
    """The reason of a Job that the flow has terminated because the step must not continue."""
    if step.name in context.plan.final_names and _ends_final(context, step):
        return context.finally_outcome or FlowOutcome.TERMINATED
    if context.stopping:
        return context.outcome
    return ITERATION_FAILED if ends_its_loop(context, step) else FLOW_STOPPED


def halt_words(context: FlowContext, step: Step) -> str:
    """The same for people."""
    if step.name in context.plan.final_names and _ends_final(context, step):
        return _final_words(context)
    if context.stopping:
        return STOPPED[context.outcome]
    if ends_its_loop(context, step):
        return "another iteration of the step has failed"
    return "a step has failed (failureStrategy FailFast)"


def _reacts(step: Step) -> bool:
    return condition_of(step) is not DependsCondition.COMPLETED
