"""Starts ready steps and iterations in the order of the spec, as far as slots are free.

A child that the API server refused is tried again after a growing pause; one that can never be valid ends its step.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from controller.decision import Create, Refusal
from controller.jobflow import reasons
from controller.jobflow.children.child_type import BuildFault, ChildType
from controller.jobflow.children.registry import type_of
from controller.jobflow.control import parallelism
from controller.jobflow.control.suspend import suspended
from controller.jobflow.model.context import FlowContext, with_jobs
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import GateResult, StepEnd, StepWait, fail
from shared import ranges
from shared.kinds import Kind
from shared.model.flow_status import Attempt, IterationRetry, Iterations, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step
from shared.names import MAX_FLOW_JOBS

_MOST_BACKOFF = 60.0
_DELETION_POLL = 1.0
_FULL_PAUSE = 1.0
_WORDS = 256
_TOO_LARGE = 413


ReadyStep = tuple[Step, list[Iteration] | None]
"""A step that may start a Job now, or a Job for each of these iterations."""


class _NewJob(NamedTuple):
    """A Job that is to be created: its name, iteration and attempt."""

    name: str
    iteration: int | None
    attempt: int


def start(context: FlowContext, ready: Iterable[ReadyStep]) -> bool:
    """Create the Jobs of ready steps (None) and iterations; True when a step ended because it cannot have one."""
    ended = False
    slots = parallelism.free_slots(context)
    for step, iterations in sorted(ready, key=lambda entry: context.plan.position[entry[0].name]):
        free = parallelism.exempt(context, step)
        made: list[_NewJob] = []
        wanted = [None] if iterations is None else iterations
        answer = _make(context, step, wanted, math.inf if free else slots, made)
        slots -= 0 if free else len(made)
        if made:
            _begun(context, step, made)
        if isinstance(answer, StepWait):
            hold(context, step.name, answer)
        elif answer is not None:
            ended = True
            _impossible(context, step, wanted[len(made)], answer)
    return ended


def _make(
    context: FlowContext, step: Step, iterations: Sequence[Iteration | None], slots: float, made: list[_NewJob]
) -> GateResult | None:
    """Create a Job for each until something prevents it; returns that."""
    for iteration in iterations:
        if len(made) >= slots:
            return StepWait(parallelism.waiting_for(context))
        if len(context.creates) >= context.observed.most_jobs:
            context.wake_at(context.now)
            return StepWait(())
        answer = _begin(context, step, iteration, made)
        if answer is not None:
            return answer
    return None


def find_template(context: FlowContext, step: Step) -> GateResult | None:
    """The wait of a step while something that its child is built from is not there."""
    made = type_of(step)
    return None if made is None else made.missing(context, step)


def _impossible(context: FlowContext, step: Step, iteration: Iteration | None, answer: StepEnd) -> None:
    """End a step, or its iteration, whose Job cannot be created. Running iterations finish."""
    state = context.steps[step.name]
    if iteration is None or state.iterations is None:
        context.end(step.name, answer.phase, answer.reason, answer.message)
        return
    attempt = Attempt(
        phase=answer.phase, reason=answer.reason, message=answer.message, completion_time=context.now_text
    )
    retries = [one for one in state.iterations.retries if one.index != iteration.index]
    failed = ranges.parse(state.iterations.failed_indexes) | {iteration.index}
    iterations = replace(
        state.iterations,
        failed_indexes=ranges.dump(failed),
        retries=(*retries, IterationRetry(index=iteration.index, last_attempt=attempt)),
    )
    context.change(step.name, iterations=iterations)


def add_ready(context: FlowContext, step: Step, iterations: list[Iteration] | None, ready: list[ReadyStep]) -> None:
    """Add a started step, or these iterations of it, to `ready`; it waits while the flow is suspended or held."""
    wait = suspended(context, step)
    if wait is None:
        ready.append((step, iterations))
    else:
        hold(context, step.name, wait)


def hold(context: FlowContext, name: str, answer: StepWait) -> None:
    """Note what a step waits for."""
    context.waiting_for[name] = answer.waiting_for
    state = context.steps[name]
    phase = state.phase
    if state.iterations is None and phase is not StepPhase.RETRYING:
        phase = StepPhase.PENDING if answer.reason in reasons.NO_JOB_YET else StepPhase.WAITING
    reason, message = answer.reason, answer.message
    if not reason and phase is StepPhase.RETRYING and state.last_attempt is not None:
        reason, message = state.last_attempt.reason, state.last_attempt.message  # why there is another attempt at all
    elif not reason and state.iterations is not None:
        reason, message = _failure(state)
    if (phase, reason, message) != (state.phase, state.reason, state.message):
        context.change(name, phase=phase, reason=reason, message=message)


def _failure(state: StepStatus) -> tuple[str, str]:
    """Reason and message of a loop that continues although iterations have failed; empty for others."""
    failed = state.iterations is not None and state.iterations.failed_indexes and state.reason not in reasons.BLOCKED
    return (state.reason, state.message) if failed else ("", "")


def _begin(context: FlowContext, step: Step, iteration: Iteration | None, made: list[_NewJob]) -> GateResult | None:
    made_type = type_of(step)
    if made_type is None:
        raise TypeError(f"step {step.name} creates nothing")
    attempt = _attempt(context, step, iteration)
    index = None if iteration is None else iteration.index
    name = context.plan.job_name(step.name, index, attempt)
    if name in context.jobs:  # a Command restarts the step again, because its effect was not written down
        made.append(_NewJob(name, index, attempt))
        context.wake_at(context.now)
        return None
    answer = (
        _orphan(context, step)
        or made_type.missing(context, step)
        or _name_conflict(context, made_type.kind_of(context, step), name)
        or _refused(context, step, made_type, name)
        or _too_many(context)
    )
    if answer is not None:
        return answer
    try:
        body = made_type.build(context, step, name, attempt, iteration)
    except BuildFault as fault:
        return fail(fault.reason, str(fault))
    if obstacle := made_type.obstacle(context, body):
        return obstacle
    context.creates.append(Create(made_type.kind_of(context, step), body))
    made.append(_NewJob(name, index, attempt))
    return None


def _orphan(context: FlowContext, step: Step) -> GateResult | None:
    """After a restart, the attempt that was running must end first."""
    return StepWait(("waits for an abandoned Job to end",)) if step.name in context.orphaned_steps else None


def _attempt(context: FlowContext, step: Step, iteration: Iteration | None) -> int:
    state = context.steps[step.name]
    if iteration is None or state.iterations is None:
        return state.attempts
    return state.attempt_base + state.iterations.tried(iteration.index)


def _name_conflict(context: FlowContext, kind: Kind, name: str) -> GateResult | None:
    """Why the child's name is not free; None: it is."""
    other = context.observed.others.get((kind, name))
    if other is None or other.owner_uid == context.observed.flow.metadata.uid:
        return None
    if other.deleting or other.owner == f"JobFlow/{context.plan.flow_name}":
        context.wake_at(context.now + _DELETION_POLL)
        said = f"an earlier {kind.kind} {name} is still being deleted"
        return StepWait((said,), reasons.WAITING_FOR_DELETION, said)
    return fail(
        reasons.NAME_CONFLICT,
        f"a {kind.kind} {name} already exists and {f'is controlled by {other.owner}' if other.owner else 'has no controller owner'}",
    )


def _refused(context: FlowContext, step: Step, made_type: ChildType, name: str) -> GateResult | None:
    refusal, kind = context.observed.refusals.get(name), made_type.kind_of(context, step)
    if refusal is None:
        return _untried(context, kind, name)
    if refusal.for_ever:
        large = f"the {kind.kind} is larger than the API server takes: " if refusal.code == _TOO_LARGE else ""
        return fail(made_type.invalid, f"{large}{_without_own_webhook(kind, refusal.message)}"[:1024])
    if refusal.code == 409 and name not in context.observed.deleted_jobs:
        context.reads.children.add((kind, name))
    begun = refusal.at if refusal.at <= context.now else 0.0  # the clock was set back since: wait no longer
    until = begun + min(_MOST_BACKOFF, 2.0 ** (refusal.count - 1))
    if context.now >= until:
        return _untried(context, kind, name)
    context.wake_at(until)
    return _rejected(kind, name, refusal)


def _without_own_webhook(kind: Kind, message: str) -> str:
    """`message` without the name of the webhook of this project, which says nothing about the cause."""
    for verb in ("mutate", "validate"):
        message = message.removeprefix(f'admission webhook "{verb}.{kind.plural}.{kind.group}" denied the request: ')
    return message


def _untried(context: FlowContext, kind: Kind, name: str) -> GateResult | None:
    """A create is put off while the API server refuses one create after the other."""
    full = context.observed.refused_before
    if full is None:
        return None
    if full.for_ever:
        context.wake_at(context.now)
        return StepWait((f"{kind.kind} {name} is created in a moment",))
    context.wake_at(context.now + _FULL_PAUSE)
    return _rejected(kind, name, full)


def _rejected(kind: Kind, name: str, refusal: Refusal) -> StepWait:
    said = f"{kind.kind} {name} rejected: {refusal.message}"[:_WORDS]
    return StepWait((said,), reasons.JOB_REJECTED, refusal.message[:512])


def _too_many(context: FlowContext) -> GateResult | None:
    made = sum(state.attempts for state in context.steps.values()) if len(context.jobs) > MAX_FLOW_JOBS // 2 else 0
    if max(made, len(context.jobs) + len(context.creates)) < MAX_FLOW_JOBS:
        return None
    return fail(reasons.TOO_MANY_JOBS, f"a flow may have {MAX_FLOW_JOBS} Jobs")


def _begun(context: FlowContext, step: Step, made: list[_NewJob]) -> None:
    state = context.steps[step.name]
    context.waiting_for.pop(step.name, None)
    more: dict[str, Any] = {"phase": StepPhase.PENDING}
    if state.iterations is not None:
        more = {"phase": StepPhase.RUNNING, "iterations": _running(state.iterations, {one.iteration for one in made})}
    reason, message = _failure(state)
    context.change(
        step.name,
        reason=reason,
        message=message,
        attempts=max(state.attempts, *(one.attempt + 1 for one in made)),
        start_time=state.start_time or context.now_text,
        completion_time=None,
        jobs=with_jobs(state.jobs, (one.name for one in made)),
        without_backoff=False,
        **more,
    )


def _running(iterations: Iterations, begun: set[int | None]) -> Iterations:
    running = ranges.parse(iterations.running_indexes) | {index for index in begun if index is not None}
    retries = tuple(
        replace(retry, attempts=retry.attempts + 1, without_backoff=False) if retry.index in begun else retry
        for retry in iterations.retries
    )
    return replace(iterations, running=len(running), running_indexes=ranges.dump(running), retries=retries)
