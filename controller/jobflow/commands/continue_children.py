"""Passes a retry of a flow on to its sub-flows: failed ones continue where they failed and keep what they completed."""

from msgspec.structs import replace

from controller.jobflow.children.registry import type_of_child
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import ObservedChild
from shared import ranges
from shared.model.flow_status import Iterations, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step


def continued(context: FlowContext, step: Step, state: StepStatus) -> StepStatus | None:
    """The state of a failed step whose children can continue; None if it has none and must create new ones.

    The attempt that failed counts as running again. Its last end stays recorded: a child that still shows this end has
    not continued yet.
    """
    if step.for_ is not None:
        return _continued_loop(context, step, state)
    begun = state.attempts - 1
    child = context.jobs.get(context.plan.job_name(step.name, None, begun)) if begun >= state.attempt_base else None
    if not _can_continue(context, child):
        return None
    return replace(
        state,
        phase=StepPhase.RUNNING,
        reason="",
        message="",
        attempt_base=begun,
        disregarded=False,
        stopped=False,
        completion_time=None,
        exit_code=None,
        outputs={},
        pods=None,
    )


def _continued_loop(context: FlowContext, step: Step, state: StepStatus) -> StepStatus | None:
    """Every iteration that failed or was terminated must be able to continue; those not started start as before."""
    found = state.iterations
    if found is None:
        return None
    broken = ranges.parse(found.failed_indexes) | ranges.parse(found.terminated_indexes)
    retries = {retry.index: retry for retry in found.retries}
    for index in broken:
        retry = retries.get(index)
        tried = retry.attempts if retry is not None else 0
        name = context.plan.job_name(step.name, index, state.attempt_base + tried - 1)
        if not tried or not _can_continue(context, context.jobs.get(name)):
            return None
    if not broken:
        return None
    iterations: Iterations = replace(
        found,
        running=len(broken),
        running_indexes=ranges.dump(broken),
        failed_indexes="",
        terminated_indexes="",
        not_started="",
    )
    return replace(
        state,
        phase=StepPhase.RUNNING,
        reason="",
        message="",
        stopped=False,
        completion_time=None,
        iterations=iterations,
        exit_code=None,
    )


def _can_continue(context: FlowContext, child: ObservedChild | None) -> bool:
    if child is None or not child.resumable or child.deleting:
        return False
    return type_of_child(child).resume(context, child) is not None
