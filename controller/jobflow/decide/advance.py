"""Moves the steps that have not ended: each control primitive is evaluated in turn, and a step starts if none prevents
it.

Steps are visited in topological order, again and again until none ends any more, because the end of a step without a
Job (a skip, a switch) may let the next one move within the same pass.
"""

from collections.abc import Callable, Sequence
from typing import Final

from controller.jobflow.control import approval, failure
from controller.jobflow.control.if_ import condition
from controller.jobflow.control.suspend import suspended
from controller.jobflow.control.switch import switch
from controller.jobflow.decide.await_approval import await_approval
from controller.jobflow.decide.continue_step import continue_step
from controller.jobflow.decide.iterate import expand
from controller.jobflow.decide.start import ReadyStep, find_template, hold, start
from controller.jobflow.model.context import FlowContext, started
from controller.jobflow.model.gate_result import GateResult, StepEnd, StepWait
from controller.jobflow.steps.dependency import dependency
from shared.model.phases import StepPhase
from shared.model.step import Step

# Evaluated in this order after the dependency lets the step start; the first result counts.
_GATES: Final[tuple[Callable[[FlowContext, Step], GateResult | None], ...]] = (
    condition,
    suspended,
    switch,
    find_template,
)


def advance(context: FlowContext, names: Sequence[str]) -> None:
    """Start, skip or end each of `names` (in topological order) that can be, until nothing moves any more."""
    unended, blocked = context.open, context.step_states.blocked
    if context.outcome:
        blocked.clear()  # every waiting step is to end
    ended = True
    while ended:
        ready: list[ReadyStep] = []
        ended = False
        for name in names:
            if name in unended and name not in blocked and not _is_blocked(context, name):
                ended |= _move(context, context.plan.steps[name], ready)
        ended |= start(context, ready)


def _is_blocked(context: FlowContext, name: str) -> bool:
    """Whether a target has not even started, so that the step cannot move whatever else it says.

    This is checked first because it is cheap and true for most steps of a long flow.
    """
    if context.halting or context.outcome:
        return False
    if any(context.steps[target].phase is StepPhase.WAITING for target in context.plan.simple.get(name, ())):
        context.step_states.blocked.add(name)
        return True
    return False


def _move(context: FlowContext, step: Step, ready: list[ReadyStep]) -> bool:
    """Move one step; True when it ended."""
    state = context.steps[step.name]
    before = state.phase
    context.waiting_for.pop(step.name, None)
    context.on_targets.discard(step.name)
    context.step_states.blocked.discard(step.name)
    if started(state):
        continue_step(context, step, state, ready)
    else:
        _begin(context, step, ready)
    return context.steps[step.name].phase.ended and not before.ended


def _begin(context: FlowContext, step: Step, ready: list[ReadyStep]) -> None:
    result = _gates(context, step)
    if isinstance(result, StepEnd):
        context.end(step.name, result.phase, result.reason, result.message, chosen=result.chosen)
    elif isinstance(result, StepWait):
        hold(context, step.name, result)
    elif step.approve is not None:
        approval.ask(context, step, step.approve)
        await_approval(context, step, step.approve)
    elif step.for_ is None:
        ready.append((step, None))
    else:
        expand(context, step, step.for_, ready)


def _gates(context: FlowContext, step: Step) -> GateResult | None:
    found = dependency(context, step)
    if isinstance(found, StepEnd):
        return found
    stop = failure.stopped(context, step)
    if stop is not None or found is not None:
        return stop or found
    if step.for_ is not None and context.loop_jobs(step.name, context.steps[step.name].attempt_base):
        return None  # its Jobs exist: it had started before its start could be recorded
    return next((result for gate in _GATES if (result := gate(context, step)) is not None), None)
