"""What a JobFlow does next: one pure function from what was observed to a decision.

It is level-triggered: it may be called at any moment and derives everything from the present state. Called twice with
equal arguments it gives equal results.
"""

import math
from typing import Final

import msgspec

from controller.decision import Action, Decision, Delete
from controller.jobflow.decide.migrate import finished_by_volcano, left_alone, steps_of
from controller.jobflow.decide.orphans import removals
from controller.jobflow.decide.run_flow import run_flow
from controller.jobflow.decide.terminate import resumptions, terminations
from controller.jobflow.model.context import FlowContext, ProbeWanted, ReadRequests
from controller.jobflow.model.memo import NO_MEMO, DecisionMemo
from controller.jobflow.model.observed import ObservedFlow
from controller.jobflow.model.plan import Plan
from controller.jobflow.model.step_states import StepStates
from controller.jobflow.status.flow_status import announced
from controller.jobflow.status.report import report
from shared.kinds import JOBFLOW
from shared.model.flow_status import JobFlowStatus
from shared.timestamp import epoch_or_none

_MANY: Final = 50  # steps, or Jobs to create at once


class FlowDecision(msgspec.Struct, frozen=True):
    """`reads`: read these and decide again, before anything else; `probes`: network probes to keep trying;
    `next_status`: the `flow.status` of the next decision, once the actions have succeeded; `deferred`: its write was put
    off; `memo`: to be given to the next decision; `over`: the flow has ended, nothing is left to do;
    `stopped`: uids of the children that the actions stop or resume."""

    decision: Decision
    reads: ReadRequests
    next_status: JobFlowStatus
    memo: DecisionMemo
    probes: tuple[ProbeWanted, ...] = ()
    deferred: bool = False
    over: bool = False
    stopped: tuple[str, ...] = ()


def decide(observed: ObservedFlow, plan: Plan, memo: DecisionMemo = NO_MEMO) -> FlowDecision:
    """Everything that can be done for the flow now. The arguments are not changed."""
    if finished_by_volcano(observed.flow):
        return FlowDecision(left_alone(observed), ReadRequests(), observed.flow.status, memo, over=True)
    context = FlowContext(observed, plan, _step_states(observed.flow.status, plan, memo), memo)
    deletions = run_flow(context) if not observed.flow.metadata.deletion_timestamp else ()
    if context.spec_change is not None:
        first = Decision((context.spec_change,), requeue_after=0.0)
        return FlowDecision(first, ReadRequests(), observed.flow.status, memo)
    if _is_first_of_many(context):
        return _announcement(observed, plan, memo)
    return _decision(context, deletions)


def _is_first_of_many(context: FlowContext) -> bool:
    """Whether nothing is known of the flow yet, and what there is to write would take an API server long."""
    if context.has_no_place:
        return False
    known = context.observed.stored != JobFlowStatus() or context.jobs or context.plan.fault or context.reads
    return not known and (len(context.plan.steps) > _MANY or len(context.creates) > _MANY)


def _announcement(observed: ObservedFlow, plan: Plan, memo: DecisionMemo) -> FlowDecision:
    """Write phase and counts, and nothing else: readers see them before a thousand Jobs and their steps are written."""
    status = announced(plan, observed.flow)
    return FlowDecision(Decision(status=msgspec.to_builtins(status), requeue_after=0.0), ReadRequests(), status, memo)


def _step_states(status: JobFlowStatus, plan: Plan, memo: DecisionMemo) -> StepStates:
    return memo.step_states_of(status.steps) or plan.step_states(steps_of(status, plan))


def _decision(context: FlowContext, deletions: tuple[Delete, ...]) -> FlowDecision:
    stops = (*terminations(context), *(() if context.is_held else resumptions(context)))
    actions: tuple[Action, ...] = (*context.creates, *(stop.action for stop in stops))
    written = report(context)
    cleanup: tuple[Action, ...] = ()
    if written.deferred_until:
        context.wake_at(written.deferred_until)
    elif not context.observed.flow.metadata.deletion_timestamp:
        cleanup = (*deletions, *removals(context), *_expired(context))
    return FlowDecision(
        Decision(actions, written.body, cleanup, (*context.notes, *written.events), _pause(context)),
        context.reads,
        written.status,
        context.memo(written.status.steps),
        tuple(context.probes),
        deferred=bool(written.deferred_until),
        over=written.status.completion_time is not None,
        stopped=tuple(stop.uid for stop in stops),
    )


def _expired(context: FlowContext) -> tuple[Delete, ...]:
    """The JobFlow itself, `ttlSecondsAfterFinished` after its end."""
    keep, ended = context.plan.spec.ttl_seconds_after_finished, epoch_or_none(context.completion_time)
    if keep is None or ended is None:
        return ()
    if context.now < ended + keep:
        context.wake_at(ended + keep)
        return ()
    metadata = context.observed.flow.metadata
    return (Delete(JOBFLOW, metadata.namespace, metadata.name, metadata.uid),)


def _pause(context: FlowContext) -> float | None:
    return None if context.wake == math.inf else max(context.wake - context.now, 0.0)
