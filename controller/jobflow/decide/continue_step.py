"""Moves a step that has started and not ended: its next iteration or attempt, or its end when the flow stops."""

from msgspec.structs import replace

from controller.jobflow.control import failure, retry
from controller.jobflow.decide.await_approval import await_approval
from controller.jobflow.decide.end_loop import halt_loop
from controller.jobflow.decide.iterate import iterate
from controller.jobflow.decide.start import ReadyStep, add_ready
from controller.jobflow.model.context import FlowContext
from controller.jobflow.steps.attempts import not_retried
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step


def continue_step(context: FlowContext, step: Step, state: StepStatus, ready: list[ReadyStep]) -> None:
    """Add what the step may start now to `ready`, or end the step."""
    if step.approve is not None:
        await_approval(context, step, step.approve)
    elif failure.halts(context, step):
        _halt(context, step, state)
    elif step.for_ is not None:
        iterate(context, step, step.for_, ready)
    elif state.phase is StepPhase.RETRYING:
        _next_attempt(context, step, ready)


def _next_attempt(context: FlowContext, step: Step, ready: list[ReadyStep]) -> None:
    if not context.due(step.name):
        state = context.steps[step.name]
        context.waiting_for[step.name] = (retry.pending(context, step, state.attempts - state.attempt_base),)
        return
    add_ready(context, step, None, ready)


def _halt(context: FlowContext, step: Step, state: StepStatus) -> None:
    """Terminate the Jobs of a step; once none runs, the step ends."""
    for job in context.current_jobs(state):
        if not job.ended:
            context.terminate(job)
    if state.iterations is not None:
        halt_loop(context, step, state)
    elif state.phase is StepPhase.RETRYING:
        attempt = state.last_attempt
        ended = replace(
            state,
            phase=StepPhase(attempt.phase) if attempt else StepPhase.FAILED,
            reason=attempt.reason if attempt else "",
            message=not_retried(attempt.message if attempt else "", failure.halt_words(context, step)),
            completion_time=context.now_text,
        )
        context.put(ended)
