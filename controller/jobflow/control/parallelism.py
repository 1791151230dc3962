"""`parallelism`: most Jobs of the flow unfinished at once, daemons and `finally` not counted (jobflow-api.md 1)."""

import math

from controller.jobflow.decide.context import Turn
from controller.jobflow.reasons import NOT_BEGUN
from shared import ranges
from shared.model.phases import StepPhase
from shared.model.step import Step

_BUSY = (StepPhase.PENDING, StepPhase.RUNNING, StepPhase.SUSPENDED)


def exempt(turn: Turn, step: Step) -> bool:
    """Whether the step's Jobs take no slot."""
    return step.daemon or step.name in turn.plan.final_names


def free_slots(turn: Turn) -> float:
    """How many more Jobs may be made now; infinite without a limit."""
    limit = turn.plan.spec.parallelism
    if not limit:
        return math.inf
    busy = turn.abandoned
    for step in turn.plan.flows:
        state = turn.steps[step.name]
        if step.daemon or state.phase.ended:
            continue
        if state.iterations is not None:
            busy += len(ranges.parse(state.iterations.running_indexes))
        elif state.phase in _BUSY and state.attempts > state.attempt_base and state.reason not in NOT_BEGUN:
            busy += 1
    return max(limit - busy, 0)


def words(turn: Turn) -> tuple[str, ...]:
    """What a step without a slot waits for."""
    return (f"parallelism {turn.plan.spec.parallelism} reached",)
