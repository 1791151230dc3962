"""Moves a step with `for`: expands it when it starts, starts its iterations, and ends it after the last one."""

from controller.jobflow.control import daemon, loop, retry
from controller.jobflow.decide.end_loop import end_loop, show_failure
from controller.jobflow.decide.observe_jobs import observe_loop
from controller.jobflow.decide.start import ReadyStep, add_ready
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import StepEnd
from controller.jobflow.model.loop_course import is_failing, loop_course
from controller.jobflow.model.loop_failure import LoopCourse
from shared.model.flow_status import StepStatus
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
        end_loop(context, step, state, found)
        return
    if is_failing(context, step):
        show_failure(context, step, state)
    if not is_failing(context, step) or loop_course(context, step) is LoopCourse.RUN_ALL:
        _show_retries(context, step, state)
    if found:
        add_ready(context, step, found, ready)


def _next(context: FlowContext, step: Step, settings: Loop, state: StepStatus) -> StepEnd | list[Iteration]:
    if step.daemon and daemon.served_by_loop(context, state):
        running = state.iterations is not None and state.iterations.running
        return [] if running else StepEnd(StepPhase.COMPLETED, "")
    return loop.next_iterations(context, step, settings, state)


def _show_retries(context: FlowContext, step: Step, state: StepStatus) -> None:
    retries = state.iterations.retries if state.iterations else ()
    pending = [one for one in retries if not context.due(step.name, one.index)]
    if pending:
        context.waiting_for[step.name] = tuple(
            retry.pending(context, step, one.attempts, one.index) for one in pending[:_SHOWN]
        )
