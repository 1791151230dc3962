"""What a JobFlow does next: one pure function of what was seen. Level-triggered: it may be asked at any moment."""

import math

import msgspec

from controller.decision import Action, Decision, Delete
from controller.jobflow.control.daemon import stop_unneeded
from controller.jobflow.control.deadline import deadline
from controller.jobflow.control.finally_ import finish, may_begin
from controller.jobflow.decide.advance import advance
from controller.jobflow.decide.commands import obey
from controller.jobflow.decide.context import ProbeWanted, Turn, Wants
from controller.jobflow.decide.migrate import finished_by_volcano, steps_of
from controller.jobflow.decide.observe_jobs import record
from controller.jobflow.decide.orphans import find_strays, removals
from controller.jobflow.decide.plan import Plan
from controller.jobflow.decide.step_states import Standing
from controller.jobflow.decide.terminate import terminations
from controller.jobflow.observe.observed import FlowSeen
from controller.jobflow.status.event_messages import notes
from controller.jobflow.status.flow_status import carried, status
from controller.jobflow.status.status_limits import trim
from controller.jobflow.status.status_throttle import held_counts, held_until
from shared.kinds import JOBFLOW
from shared.model.flow_status import JobFlowStatus
from shared.model.phases import StepPhase
from shared.model.types import Body
from shared.timestamp import epoch_or_none


class FlowDecision(msgspec.Struct, frozen=True):
    """`wants`: read this and decide again, before anything else; `probes`: network probes to keep trying; `carry`: the
    `flow.status` of the next look, once the actions have succeeded; `held`: it may have to be written later."""

    decision: Decision
    wants: Wants
    carry: JobFlowStatus
    probes: tuple[ProbeWanted, ...] = ()
    held: bool = False


def decide(seen: FlowSeen, plan: Plan | None = None) -> FlowDecision:
    """Everything that can be done for the flow now. `plan`: the prepared spec, made here when it is not at hand."""
    if finished_by_volcano(seen.flow):
        return FlowDecision(Decision(), Wants(), seen.flow.status)
    plan = plan or Plan(seen.flow)
    turn = Turn(seen, plan, _standing(seen.flow.status, plan))
    deletions = _run(turn) if not seen.flow.metadata.deletion_timestamp else ()
    return _decision(turn, deletions)


def _standing(status: JobFlowStatus, plan: Plan) -> Standing:
    return plan.recall(status.steps) or plan.standing(steps_of(status, plan))


def _run(turn: Turn) -> tuple[Delete, ...]:
    if turn.completion_time is None:
        record(turn)
    deletions = obey(turn)
    if turn.completion_time is None and not turn.plan.fault:
        _start_clock(turn)
        deadline(turn)
        find_strays(turn)
        advance(turn, turn.plan.order)
        stop_unneeded(turn)
        if may_begin(turn):
            advance(turn, [step.name for step in turn.plan.finals])
            finish(turn)
    return deletions


def _start_clock(turn: Turn) -> None:
    if turn.start_time is None and not turn.suspend:
        created = () if turn.reset else (job.created for job in turn.jobs.values() if job.created)
        turn.start_time = min(created, default=turn.now_text)


def _decision(turn: Turn, deletions: tuple[Delete, ...]) -> FlowDecision:
    seen = turn.seen
    actions: tuple[Action, ...] = (*turn.patches, *turn.creates, *terminations(turn))
    if moment := held_until(turn):
        return _held(turn, actions, moment)
    new = trim(status(turn))
    changed = new != seen.stored
    if changed and (moment := held_counts(turn, new)):
        return _held(turn, actions, moment)
    going = bool(seen.flow.metadata.deletion_timestamp)
    cleanup = () if going else (*deletions, *removals(turn), *_expired(turn))
    decision = Decision(
        actions,
        _told(new) if changed else None,
        cleanup,
        (*turn.notes, *(notes(seen.stored, new) if changed else ())),
        _pause(turn),
    )
    kept = new if changed else seen.stored
    turn.plan.remember(kept.steps, turn.standing.of(kept.steps))
    return FlowDecision(decision, turn.wants, kept, tuple(turn.probes))


def _held(turn: Turn, actions: tuple[Action, ...], moment: float) -> FlowDecision:
    """Everything but the status, which may be written at `moment`."""
    turn.wake_at(moment)
    decision = Decision(actions, notes=tuple(turn.notes), requeue_after=_pause(turn))
    carry = carried(turn)
    turn.plan.remember(carry.steps, turn.standing)
    return FlowDecision(decision, turn.wants, carry, tuple(turn.probes), held=True)


def _told(new: JobFlowStatus) -> Body:
    """The status as people read it: a step that waits says so, though that is the default."""
    told: Body = msgspec.to_builtins(new)
    for step in told.get("steps", ()):
        step.setdefault("phase", StepPhase.WAITING.value)
    return told


def _expired(turn: Turn) -> tuple[Delete, ...]:
    """The JobFlow itself, `ttlSecondsAfterFinished` after its end."""
    keep, ended = turn.plan.spec.ttl_seconds_after_finished, epoch_or_none(turn.completion_time)
    if keep is None or ended is None:
        return ()
    if turn.now < ended + keep:
        turn.wake_at(ended + keep)
        return ()
    metadata = turn.seen.flow.metadata
    return (Delete(JOBFLOW, metadata.namespace, metadata.name, metadata.uid),)


def _pause(turn: Turn) -> float | None:
    return None if turn.wake == math.inf else max(turn.wake - turn.now, 0.0)
