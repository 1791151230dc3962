"""`parallelism`: the limit on unfinished Jobs of the flow, daemons and `finally` not counted (docs/design/jobflow-api.md, section 1)."""

import math

from controller.jobflow.model.context import FlowContext
from controller.jobflow.reasons import NO_JOB_YET
from shared import ranges
from shared.model.phases import StepPhase
from shared.model.step import Step

_BUSY = (StepPhase.PENDING, StepPhase.RUNNING, StepPhase.SUSPENDED)


def exempt(context: FlowContext, step: Step) -> bool:
    """Whether the step's Jobs take no slot."""
    return step.daemon or step.name in context.plan.final_names


def free_slots(context: FlowContext) -> float:
    """How many more Jobs may be created now; infinite without a limit."""
    limit = context.plan.spec.parallelism
    if not limit:
        return math.inf
    busy = context.abandoned
    for step in context.plan.flows:
        state = context.steps[step.name]
        if step.daemon or state.phase.ended:
            continue
        if state.iterations is not None:
            busy += len(ranges.parse(state.iterations.running_indexes))
        elif state.phase in _BUSY and state.attempts > state.attempt_base and state.reason not in NO_JOB_YET:
            busy += 1
    return max(limit - busy, 0)


def waiting_for(context: FlowContext) -> tuple[str, ...]:
    """What a step without a slot waits for."""
    return (f"parallelism {context.plan.spec.parallelism} reached",)
