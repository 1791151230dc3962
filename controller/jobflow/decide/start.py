"""Starts what is ready, in the order of the spec, as far as slots are free."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from controller.decision import Create, Refusal
from controller.jobflow import reasons
from controller.jobflow.control import parallelism
from controller.jobflow.decide.context import Turn, with_jobs
from controller.jobflow.decide.values import Iteration
from controller.jobflow.gate_result import Answer, End, Wait, fail
from controller.jobflow.steps.build import BuildFault, build
from shared import ranges
from shared.kinds import JOB
from shared.model.flow_status import Attempt, IterationRetry, Iterations
from shared.model.phases import StepPhase
from shared.model.step import Step
from shared.names import MAX_FLOW_JOBS

_MOST_BACKOFF = 60.0
_DELETION_POLL = 1.0
_FULL_PAUSE = 1.0
_WORDS = 256
_TOO_LARGE = 413


class _Made(NamedTuple):
    """A Job that is to be created: its name, iteration and attempt."""

    name: str
    iteration: int | None
    attempt: int


def start(turn: Turn, ready: Iterable[tuple[Step, list[Iteration] | None]]) -> bool:
    """Create the Jobs of ready steps (None) and iterations; True when a step ended because it cannot have one."""
    ended = False
    slots = parallelism.free_slots(turn)
    for step, iterations in sorted(ready, key=lambda entry: turn.plan.position[entry[0].name]):
        free = parallelism.exempt(turn, step)
        made: list[_Made] = []
        wanted = [None] if iterations is None else iterations
        answer = _make(turn, step, wanted, math.inf if free else slots, made)
        slots -= 0 if free else len(made)
        if made:
            _begun(turn, step, made)
        if isinstance(answer, Wait):
            hold(turn, step.name, answer)
        elif answer is not None:
            ended = True
            _impossible(turn, step, wanted[len(made)], answer)
    return ended


def _make(
    turn: Turn, step: Step, iterations: Sequence[Iteration | None], slots: float, made: list[_Made]
) -> Answer | None:
    """Create a Job for each, until something is in the way: that is returned."""
    for iteration in iterations:
        if len(made) >= slots:
            return Wait(parallelism.words(turn))
        answer = _begin(turn, step, iteration, made)
        if answer is not None:
            return answer
    return None


def find_template(turn: Turn, step: Step) -> Wait | None:
    """The wait of a step whose JobTemplate is not there."""
    if step.template_name in turn.seen.templates:
        return None
    said = f"template {step.template_name} not found"
    return Wait((said,), reasons.TEMPLATE_NOT_FOUND, said)


def _impossible(turn: Turn, step: Step, iteration: Iteration | None, answer: End) -> None:
    """There can be no such Job: the step ends, or its iteration does, so that those that run can finish."""
    state = turn.steps[step.name]
    if iteration is None or state.iterations is None:
        turn.end(step.name, answer.phase, answer.reason, answer.message)
        return
    attempt = Attempt(phase=answer.phase, reason=answer.reason, message=answer.message, completion_time=turn.now_text)
    retries = [one for one in state.iterations.retries if one.index != iteration.index]
    failed = ranges.parse(state.iterations.failed_indexes) | {iteration.index}
    iterations = replace(
        state.iterations,
        failed_indexes=ranges.dump(failed),
        retries=(*retries, IterationRetry(index=iteration.index, last_attempt=attempt)),
    )
    turn.change(step.name, iterations=iterations)


def hold(turn: Turn, name: str, answer: Wait) -> None:
    """Note what a step waits for."""
    turn.words[name] = answer.words
    state = turn.steps[name]
    phase = state.phase
    if state.iterations is None and phase is not StepPhase.RETRYING:
        phase = StepPhase.PENDING if answer.reason in reasons.NOT_BEGUN else StepPhase.WAITING
    reason, message = answer.reason, answer.message
    if not reason and phase is StepPhase.RETRYING and state.last_attempt is not None:
        reason, message = state.last_attempt.reason, state.last_attempt.message  # why there is another attempt at all
    if (phase, reason, message) != (state.phase, state.reason, state.message):
        turn.change(name, phase=phase, reason=reason, message=message)


def _begin(turn: Turn, step: Step, iteration: Iteration | None, made: list[_Made]) -> Answer | None:
    attempt = _attempt(turn, step, iteration)
    index = None if iteration is None else iteration.index
    name = turn.plan.job_name(step.name, index, attempt)
    answer = (
        _stray(turn, step)
        or find_template(turn, step)
        or _namesake(turn, name)
        or _refused(turn, name)
        or _too_many(turn)
    )
    if answer is not None:
        return answer
    try:
        body = build(turn, step, name, attempt, iteration, turn.seen.templates[step.template_name])
    except BuildFault as fault:
        return fail(fault.reason, str(fault))
    turn.creates.append(Create(JOB, body))
    made.append(_Made(name, index, attempt))
    return None


def _stray(turn: Turn, step: Step) -> Answer | None:
    """After a restart, the attempt that was under way must end first."""
    return Wait(("waits for an abandoned Job to end",)) if step.name in turn.strays else None


def _attempt(turn: Turn, step: Step, iteration: Iteration | None) -> int:
    state = turn.steps[step.name]
    if iteration is None or state.iterations is None:
        return state.attempts
    tried = next((retry.attempts for retry in state.iterations.retries if retry.index == iteration.index), 0)
    return state.attempt_base + tried


def _namesake(turn: Turn, name: str) -> Answer | None:
    """What is in the way under the Job's name."""
    other = turn.seen.namesakes.get(name)
    if other is None or other.owner_uid == turn.seen.flow.metadata.uid:
        return None
    if other.deleting or other.owner == f"JobFlow/{turn.plan.flow_name}":
        turn.wake_at(turn.now + _DELETION_POLL)
        said = f"an earlier Job {name} is still being deleted"
        return Wait((said,), reasons.WAITING_FOR_DELETION, said)
    return fail(reasons.NAME_CONFLICT, f"a Job {name} is there already, owned by {other.owner or 'nobody'}")


def _refused(turn: Turn, name: str) -> Answer | None:
    refusal = turn.seen.refusals.get(name)
    if refusal is None:
        return _untried(turn, name)
    if refusal.for_ever:
        large = "the Job is larger than the API server takes: " if refusal.code == _TOO_LARGE else ""
        return fail(reasons.INVALID_JOB, f"{large}{refusal.message}"[:1024])
    if refusal.code == 409 and name not in turn.seen.gone:
        turn.wants.jobs.add(name)
    begun = refusal.at if refusal.at <= turn.now else 0.0  # the clock was set back since: wait no longer
    until = begun + min(_MOST_BACKOFF, 2.0 ** (refusal.count - 1))
    if turn.now >= until:
        return _untried(turn, name)
    turn.wake_at(until)
    return _rejected(name, refusal)


def _untried(turn: Turn, name: str) -> Answer | None:
    """A Job is not even tried while others are refused one after the other: their turn comes, and its own."""
    full = turn.seen.full
    if full is None:
        return None
    if full.for_ever:
        turn.wake_at(turn.now)
        return Wait((f"Job {name} is created in a moment",))
    turn.wake_at(turn.now + _FULL_PAUSE)
    return _rejected(name, full)


def _rejected(name: str, refusal: Refusal) -> Wait:
    return Wait((f"Job {name} rejected: {refusal.message}"[:_WORDS],), reasons.JOB_REJECTED, refusal.message[:512])


def _too_many(turn: Turn) -> Answer | None:
    made = sum(state.attempts for state in turn.steps.values()) if len(turn.jobs) > MAX_FLOW_JOBS // 2 else 0
    if max(made, len(turn.jobs) + len(turn.creates)) < MAX_FLOW_JOBS:
        return None
    return fail(reasons.TOO_MANY_JOBS, f"a flow may have {MAX_FLOW_JOBS} Jobs")


def _begun(turn: Turn, step: Step, made: list[_Made]) -> None:
    state = turn.steps[step.name]
    turn.words.pop(step.name, None)
    more: dict[str, Any] = {"phase": StepPhase.PENDING}
    if state.iterations is not None:
        more = {"phase": StepPhase.RUNNING, "iterations": _running(state.iterations, {one.iteration for one in made})}
    turn.change(
        step.name,
        reason="",
        message="",
        attempts=max(state.attempts, *(one.attempt + 1 for one in made)),
        start_time=state.start_time or turn.now_text,
        completion_time=None,
        jobs=with_jobs(state.jobs, (one.name for one in made)),
        **more,
    )


def _running(iterations: Iterations, begun: set[int | None]) -> Iterations:
    running = ranges.parse(iterations.running_indexes) | {index for index in begun if index is not None}
    retries = tuple(
        replace(retry, attempts=retry.attempts + 1) if retry.index in begun else retry for retry in iterations.retries
    )
    return replace(iterations, running=len(running), running_indexes=ranges.dump(running), retries=retries)
