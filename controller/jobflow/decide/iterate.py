"""Moves a step with `for`: expands it when it starts, starts its iterations, and ends it after the last one."""

from controller.jobflow import reasons
from controller.jobflow.control import daemon, failure, loop, retry
from controller.jobflow.control.suspend import suspended
from controller.jobflow.decide.observe_jobs import observe_loop
from controller.jobflow.decide.start import ReadyStep, hold
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import StepEnd
from controller.jobflow.model.loop_course import is_failing, loop_course
from controller.jobflow.model.loop_failure import LoopCourse, closed
from shared import ranges
from shared.model.flow_status import Iterations, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Loop, Step

_SHOWN = 3  # iterations whose retries are named in `next`


def expand(context: FlowContext, step: Step, settings: Loop, ready: list[ReadyStep]) -> None:
    """Evaluate the items of a loop that starts now, and start its first iterations."""
    begun = loop.begin(context, step, settings)
    if isinstance(begun, StepEnd):
        context.end(step.name, begun.phase, begun.reason, begun.message)
        return
    iterations, digest = begun
    context.change(
        step.name,
        phase=StepPhase.RUNNING,
        reason="",
        message="",
        iterations=iterations,
        items_hash=digest,
        start_time=context.now_text,
        last=None,
    )
    observe_loop(context, step, context.steps[step.name], iterations)
    iterate(context, step, settings, ready)


def iterate(context: FlowContext, step: Step, settings: Loop, ready: list[ReadyStep]) -> None:
    """Add the iterations that may start now to `ready`, or end the step."""
    state = context.steps[step.name]
    found = _next(context, step, settings, state)
    if isinstance(found, StepEnd):
        _end(context, step, state, found)
        return
    if is_failing(context, step):
        _show_failure(context, step, state)
    if not is_failing(context, step) or loop_course(context, step) is LoopCourse.RUN_ALL:
        _show_retries(context, step, state)
    if not found:
        return
    wait = suspended(context, step)
    if wait is not None:
        hold(context, step.name, wait)
    else:
        ready.append((step, found))


def _next(context: FlowContext, step: Step, settings: Loop, state: StepStatus) -> StepEnd | list[Iteration]:
    if step.daemon and daemon.served_by_loop(context, state):
        running = state.iterations is not None and state.iterations.running
        return [] if running else StepEnd(StepPhase.COMPLETED, "")
    return loop.next_iterations(context, step, settings, state)


def halt_loop(context: FlowContext, step: Step, state: StepStatus) -> None:
    """End a loop that may not go on, once none of its iterations runs. One that had failed before has failed."""
    found = state.iterations or Iterations()
    if is_failing(context, step):
        if found.running:
            _show_failure(context, step, state)
        else:
            _end(context, step, state, loop.failed(state, closed(found)))
    elif not found.running:
        said = "its iterations were terminated"
        _end(context, step, state, StepEnd(StepPhase.TERMINATED, failure.halt_reason(context, step), said))


def _show_failure(context: FlowContext, step: Step, state: StepStatus) -> None:
    """The reason of a loop that has failed while some of its iterations run."""
    if state.iterations is not None and state.reason not in reasons.BLOCKED:
        found = loop.failed(state, state.iterations)
        if (state.reason, state.message) != (found.reason, found.message):
            context.change(step.name, reason=found.reason, message=found.message)


def _end(context: FlowContext, step: Step, state: StepStatus, found: StepEnd) -> None:
    iterations = closed(state.iterations or Iterations())
    completed = found.phase is StepPhase.COMPLETED
    last = str(max(ranges.parse(iterations.completed_indexes), default=0))
    context.end(
        step.name,
        found.phase,
        found.reason,
        found.message,
        outputs=iterations.outputs.get(last, {}) if completed else state.outputs,
        exit_code=0 if completed else _exit_code(state, iterations),
        iterations=iterations,
    )


def _exit_code(state: StepStatus, iterations: Iterations) -> int | None:
    failed = loop.first_failure(state, iterations) if iterations.failed_indexes else None
    return failed.exit_code if failed is not None else state.exit_code


def _show_retries(context: FlowContext, step: Step, state: StepStatus) -> None:
    retries = state.iterations.retries if state.iterations else ()
    pending = [one for one in retries if not context.due(step.name, one.index)]
    if pending:
        context.waiting_for[step.name] = tuple(
            retry.pending(context, step, one.attempts, one.index) for one in pending[:_SHOWN]
        )
