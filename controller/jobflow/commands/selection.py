"""Which steps a RetryJobFlow runs again."""

from collections.abc import Iterable

import msgspec

from controller.jobflow.commands.effect import CommandEffect, refused, without_effect
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepEnd
from controller.jobflow.reasons import BAD_SKIPS
from controller.jobflow.steps.dependency import dependency
from shared import ranges
from shared.codec.plural import number_of
from shared.model.command_message import RetryMessage
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase

_BROKEN = (StepPhase.FAILED, StepPhase.TERMINATED)


class Selection(msgspec.Struct, frozen=True):
    """`steps`: of `flows`, that run again; `finals`: of `finally`; `whole`: loops run all of their iterations again;
    `skipping_backoff`: steps whose next attempt starts without back-off."""

    steps: frozenset[str] = frozenset()
    finals: frozenset[str] = frozenset()
    whole: bool = False
    skipping_backoff: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.steps or self.finals or self.skipping_backoff)


def select(context: FlowContext, order: RetryMessage) -> Selection | CommandEffect:
    """The steps that run again, or why none does."""
    if not order.named:
        return _failed(context, order)
    if order.named not in context.steps:
        return refused(f'there is no step "{order.named}"')
    state = context.steps[order.named]
    if order.attempt is not None and order.attempt != state.attempts:
        return without_effect(
            f"step {state.name} has begun {number_of(state.attempts, 'attempt')}, not {order.attempt}"
        )
    return _named(context, order, state)


def _failed(context: FlowContext, order: RetryMessage) -> Selection:
    """Steps that failed, and those that were skipped because of them; every step of `finally` with them."""
    again = {name for name in context.plan.order if context.steps[name].phase in _BROKEN}
    for name in context.plan.order:
        state = context.steps[name]
        if state.phase is StepPhase.SKIPPED and (
            state.reason in BAD_SKIPS or not again.isdisjoint(context.plan.targets[name])
        ):
            again.add(name)
    broken_finals = any(context.steps[step.name].phase in _BROKEN for step in context.plan.finals)
    return Selection(
        steps=_with_daemons(context, again),
        finals=context.plan.final_names if again or broken_finals else frozenset(),
        skipping_backoff=_retrying(context, context.steps) if order.now else frozenset(),
    )


def _named(context: FlowContext, order: RetryMessage, state: StepStatus) -> Selection | CommandEffect:
    if order.now and order.step and (backing_off := _retrying(context, [state.name])):
        return Selection(skipping_backoff=backing_off)
    if state.name in context.plan.final_names:
        return Selection(finals=frozenset({state.name}), whole=True) if _begun(state) else _not_begun(state)
    again = {state.name} | (_after(context, state.name) if order.from_ else set())
    again = {name for name in again if _begun(context.steps[name])}
    if not again:
        return _not_begun(state)
    steps = _with_daemons(context, again)
    if obstacle := _obstacle(context, state, steps):
        return refused(obstacle)
    return Selection(steps=steps, finals=context.plan.final_names, whole=True)


def _obstacle(context: FlowContext, state: StepStatus, again: frozenset[str]) -> str:
    """Why the step would be skipped again at once, for example because an earlier step has failed."""
    if not again.isdisjoint(context.plan.targets.get(state.name, ())):
        return ""
    found = dependency(context, context.plan.steps[state.name])
    if not isinstance(found, StepEnd):
        return ""
    return (
        f"step {state.name} would be Skipped again ({found.reason}: {found.message}); name an earlier step with --from"
    )


def _begun(state: StepStatus) -> bool:
    return state.phase is not StepPhase.WAITING or state.attempts > state.attempt_base or state.iterations is not None


def _not_begun(state: StepStatus) -> CommandEffect:
    return without_effect(f"step {state.name} has not run yet")


def _after(context: FlowContext, name: str) -> set[str]:
    """All steps that come after a step."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        new = set(context.plan.followers.get(ahead.pop(), ())) - found
        found |= new
        ahead += new
    return found


def _with_daemons(context: FlowContext, again: set[str]) -> frozenset[str]:
    """These steps and the daemons that they need and that have ended: they must serve once more."""
    found, ahead = set(again), list(again)
    while ahead:
        name = ahead.pop()
        needed = {
            target
            for target in context.plan.targets.get(name, ())
            if context.plan.steps[target].daemon
            and context.plan.serves(name, target)
            and context.steps[target].phase.ended
        } - found
        found |= needed
        ahead += needed
    return frozenset(found)


def _retrying(context: FlowContext, names: Iterable[str]) -> frozenset[str]:
    """Steps that wait for their next attempt, or that of an iteration."""
    return frozenset(name for name in names if _waits_for_attempt(context.steps[name]))


def _waits_for_attempt(state: StepStatus) -> bool:
    if state.iterations is None or state.phase.ended:
        return state.phase is StepPhase.RETRYING
    return bool(backing_off(state))


def backing_off(state: StepStatus) -> set[int]:
    """Iterations of an open loop that wait for their next attempt."""
    found = state.iterations
    if found is None:
        return set()
    over = ranges.parse(
        f"{found.running_indexes},{found.completed_indexes},{found.failed_indexes},{found.terminated_indexes}"
    )
    return {retry.index for retry in found.retries} - over
