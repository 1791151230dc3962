"""How a loop continues after failed iterations, by the state of its step (docs/design/jobflow-api.md, section 5.2)."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.loop_failure import LoopCourse, course, failed_for_good
from shared.model.phases import FailureStrategy
from shared.model.step import Step


def strategy(context: FlowContext) -> FailureStrategy:
    """`failureStrategy` with its default."""
    return context.plan.spec.failure_strategy or FailureStrategy.STOP


def is_failing(context: FlowContext, step: Step) -> bool:
    """Whether more iterations of the step have failed than it tolerates."""
    return step.for_ is not None and failed_for_good(step.for_, context.steps[step.name])


def loop_course(context: FlowContext, step: Step) -> LoopCourse:
    """What the step's loop does after a failure that it does not tolerate."""
    if step.for_ is None:
        return LoopCourse.FINISH
    return course(step, step.for_, strategy(context), final=step.name in context.plan.final_names)
