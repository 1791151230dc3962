"""Ends a step with `for`, or reports that it has failed while some of its iterations still run."""

from controller.jobflow import reasons
from controller.jobflow.control import failure, loop
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepEnd
from controller.jobflow.model.loop_course import is_failing
from controller.jobflow.model.loop_failure import closed
from shared import ranges
from shared.model.flow_status import Iterations, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step


def halt_loop(context: FlowContext, step: Step, state: StepStatus) -> None:
    """End a loop that must not continue, once none of its iterations runs. One that had failed before has failed."""
    found = state.iterations or Iterations()
    if is_failing(context, step):
        if found.running:
            show_failure(context, step, state)
        else:
            end_loop(context, step, state, loop.failed(state, closed(found)))
    elif not found.running:
        said = "its iterations were terminated"
        end_loop(context, step, state, StepEnd(StepPhase.TERMINATED, failure.halt_reason(context, step), said))


def show_failure(context: FlowContext, step: Step, state: StepStatus) -> None:
    """The reason of a loop that has failed while some of its iterations run."""
    if state.iterations is not None and state.reason not in reasons.BLOCKED:
        found = loop.failed(state, state.iterations)
        if (state.reason, state.message) != (found.reason, found.message):
            context.change(step.name, reason=found.reason, message=found.message)


def end_loop(context: FlowContext, step: Step, state: StepStatus, found: StepEnd) -> None:
    """End the step with `found`. Its outputs are those of the last iteration that completed, or, if the step has failed, of the
    last that ended."""
    iterations = closed(state.iterations or Iterations())
    completed = found.phase is StepPhase.COMPLETED
    ended = ranges.parse(iterations.completed_indexes) | (
        frozenset() if completed else ranges.parse(iterations.failed_indexes)
    )
    context.end(
        step.name,
        found.phase,
        found.reason,
        found.message,
        outputs=iterations.outputs.get(str(max(ended, default=0)), {}),
        exit_code=0 if completed else _exit_code(state, iterations),
        iterations=iterations,
    )


def _exit_code(state: StepStatus, iterations: Iterations) -> int | None:
    failed = loop.first_failure(state, iterations) if iterations.failed_indexes else None
    return failed.exit_code if failed is not None else state.exit_code
