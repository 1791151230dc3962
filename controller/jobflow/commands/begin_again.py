"""Resets steps, so that they run again. Attempt numbers continue, so no Job name is ever used twice."""

from msgspec.structs import replace

from controller.jobflow.model.context import FlowContext
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase


def begin_again(context: FlowContext) -> None:
    """Open a flow again whose steps were put back. Its deadline counts from now."""
    context.outcome = ""
    context.completion_time = None
    context.finally_start_time = None
    context.finally_outcome = ""
    context.outputs = {}
    restart_clock(context)
    context.step_states.recount()


def restart_clock(context: FlowContext) -> None:
    """Let the flow's deadline count from now."""
    context.start_time = None
    context.reset = True


def fresh(state: StepStatus) -> StepStatus:
    """The state of a step that has not run since. Attempt numbers continue from the old ones."""
    return StepStatus(
        name=state.name,
        attempts=state.attempts,
        attempt_base=state.attempts,
        jobs=state.jobs,
        pods=state.pods,
        last_attempt=state.last_attempt,
    )


def resumed(state: StepStatus) -> StepStatus:
    """As `fresh`, but a loop keeps the iterations that completed."""
    kept = state.iterations
    if kept is None or not kept.completed_indexes:
        return fresh(state)
    iterations = replace(
        kept, running=0, running_indexes="", failed_indexes="", terminated_indexes="", not_started="", retries=()
    )
    return replace(
        fresh(state),
        phase=StepPhase.RUNNING,
        iterations=iterations,
        items_hash=state.items_hash,
        last=state.last,
    )
