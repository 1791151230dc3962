"""Records in the step states what the Jobs of the flow report.

This comes first in every pass, before anything can delete the Jobs. A step that has ended is never looked at again.
"""

from collections.abc import Collection

from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.children.registry import type_of
from controller.jobflow.control import failure, outputs
from controller.jobflow.model.context import FlowContext, in_flight, with_jobs
from controller.jobflow.steps.attempts import Unit, UnitProgress, ended_now, follow
from shared import ranges
from shared.model.flow_status import (
    Attempt,
    IterationRetry,
    Iterations,
    LastIteration,
    PodCounts,
    StepStatus,
)
from shared.model.phases import StepPhase
from shared.model.step import Step


def observe_jobs(context: FlowContext) -> None:
    """Update the state of every open step from its Jobs.

    Daemons come last, whose end depends on that of other steps. So do Jobs that the flow has terminated: if the status that
    says why was not stored, the reason is found again in the other Jobs.
    """
    stopped = {(job.step, job.index) for job in context.jobs.values() if job.was_stopped}
    _observe(context, stopped, after_others=False)
    if stopped:
        _observe(context, stopped, after_others=True)


def _observe(context: FlowContext, stopped: Collection[tuple[str, int | None]], *, after_others: bool) -> None:
    """Update the states from the Jobs that are not in `stopped` (step and index), or from all with `after_others`."""
    far, jobs, first_job = context.step_states.blocked, context.jobs, context.plan.first_job
    near = (context.open - far) | {name for name in far if first_job[name] in jobs}
    plan = context.plan
    for name in sorted(near, key=lambda name: (plan.steps[name].daemon, plan.position[name])):
        state = context.steps[name]
        if not state.attempts and state.iterations is None and context.plan.first_job[name] not in context.jobs:
            continue
        step = context.plan.steps[name]
        if type_of(step) is None:
            continue
        if step.for_ is not None:
            if state.iterations is not None:
                observe_loop(context, step, state, state.iterations, () if after_others else stopped)
        elif after_others or (name, None) not in stopped:
            _observe_plain(context, step, state)


def used_outputs(context: FlowContext) -> int:
    """Bytes of all outputs in the flow's status."""
    return sum(
        outputs.size(state.outputs.values())
        + sum(outputs.size(one.values()) for one in (state.iterations.outputs.values() if state.iterations else ()))
        for state in context.steps.values()
        if state.outputs or state.iterations
    )


def _observe_plain(context: FlowContext, step: Step, state: StepStatus) -> None:
    last_job = context.plan.job_name(step.name, None, max(state.attempts - 1, 0))
    flying = in_flight(step, state, last_job)
    unit = Unit(None, state.attempts, state.attempt_base, state.last_attempt, flying, at_once=state.without_backoff)
    found = follow(context, step, unit, used_outputs(context) if step.outputs else 0)
    if found.phase is StepPhase.RETRYING:
        context.retry_at(step.name, None, found.due)
    if _unchanged(state, found, unit):
        return
    context.put(_merged(context, state, found))


def _unchanged(state: StepStatus, found: UnitProgress, unit: Unit) -> bool:
    if found.unit is not unit:
        return False
    if found.phase is StepPhase.WAITING or not found.unit.flying:
        return True
    return (found.phase, found.reason, found.message) == (state.phase, state.reason, state.message)


def _merged(context: FlowContext, state: StepStatus, found: UnitProgress) -> StepStatus:
    attempt = found.unit.last
    retrying = found.phase is StepPhase.RETRYING
    ended = found.phase.ended
    return replace(
        state,
        phase=found.phase,
        reason=found.reason,
        message=found.message,
        attempts=found.unit.begun,
        start_time=state.start_time or found.started or context.now_text,
        completion_time=ended_now(context, attempt) if ended else None,
        jobs=with_jobs(state.jobs, found.jobs),
        pods=_sum(state.pods, found.pods),
        exit_code=found.exit_code if ended or retrying else state.exit_code,
        outputs=found.outputs if ended or retrying else state.outputs,
        last_attempt=attempt,
        without_backoff=state.without_backoff and not found.jobs,
    )


def _sum(one: PodCounts | None, other: PodCounts | None) -> PodCounts | None:
    if one is None or other is None:
        return one or other
    return PodCounts(succeeded=one.succeeded + other.succeeded, failed=one.failed + other.failed)


class _Loop:
    """A mutable form of `status.steps[].iterations`."""

    def __init__(self, iterations: Iterations) -> None:
        self.running = set(ranges.parse(iterations.running_indexes))
        self.completed = set(ranges.parse(iterations.completed_indexes))
        self.failed = set(ranges.parse(iterations.failed_indexes))
        self.terminated = set(ranges.parse(iterations.terminated_indexes))
        self.given = iterations
        self.retries = {retry.index: retry for retry in iterations.retries}
        self.outputs = dict(iterations.outputs)

    @property
    def over(self) -> set[int]:
        """Iterations that have ended."""
        return self.completed | self.failed | self.terminated

    def dump(self) -> Iterations:
        return replace(
            self.given,
            running=len(self.running),
            running_indexes=ranges.dump(self.running),
            completed_indexes=ranges.dump(self.completed),
            failed_indexes=ranges.dump(self.failed),
            terminated_indexes=ranges.dump(self.terminated),
            retries=tuple(self.retries[index] for index in sorted(self.retries)),
            outputs=self.outputs,
        )


def observe_loop(
    context: FlowContext,
    step: Step,
    state: StepStatus,
    iterations: Iterations,
    left_out: Collection[tuple[str, int | None]] = (),
) -> None:
    """Update the iterations of a started loop from their Jobs, but for those in `left_out` (step and index)."""
    loop = _Loop(iterations)
    used = used_outputs(context) if step.outputs else 0
    obstacle: tuple[str, str] | None = None
    for index in _candidates(context, step, state, loop):
        if (step.name, index) in left_out:
            continue
        before = loop.retries.get(index)
        begun = state.attempt_base + (before.attempts if before else int(index in loop.running))
        last, at_once = (before.last_attempt, before.without_backoff) if before else (None, False)
        unit = Unit(index, begun, state.attempt_base, last, index in loop.running, at_once)
        found = follow(context, step, unit, used)
        state = _take(context, step, state, loop, index, found)
        used += outputs.size(found.outputs.values())
        if obstacle is None and found.reason in reasons.BLOCKED:
            obstacle = (found.reason, found.message)
    state = _hindered(state, obstacle)
    after = loop.dump()
    if after != iterations:
        state = replace(state, iterations=after)
    if state is not context.steps[step.name]:
        context.put(state)


def _hindered(state: StepStatus, obstacle: tuple[str, str] | None) -> StepStatus:
    """The step with the reason of its first blocked Job; without one once no Job is blocked."""
    if obstacle is None and state.reason not in reasons.BLOCKED:
        return state
    reason, message = obstacle or ("", "")
    return (
        state if (reason, message) == (state.reason, state.message) else replace(state, reason=reason, message=message)
    )


def _candidates(context: FlowContext, step: Step, state: StepStatus, loop: _Loop) -> list[int]:
    """Iterations that run or retry, and those whose Job exists without being recorded."""
    unknown = context.loop_jobs(step.name, state.attempt_base)
    known = loop.running | set(loop.retries)
    return sorted((known | unknown) - loop.over)


def _take(
    context: FlowContext, step: Step, state: StepStatus, loop: _Loop, index: int, found: UnitProgress
) -> StepStatus:
    if found.phase is StepPhase.WAITING:
        return state
    attempt, known = _last_attempt(found), loop.retries.get(index)
    loop.running.discard(index)
    tried = found.unit.begun - found.unit.base
    if found.unit.flying:
        loop.running.add(index)
    if found.phase is StepPhase.COMPLETED:
        loop.completed.add(index)
        loop.retries.pop(index, None)
    elif found.phase.ended:
        halted = found.phase is StepPhase.TERMINATED and failure.halts(context, step)
        (loop.terminated if halted else loop.failed).add(index)
        loop.retries[index] = IterationRetry(index=index, attempts=tried, last_attempt=attempt)
    elif attempt is not None:
        loop.retries[index] = IterationRetry(index=index, attempts=tried, last_attempt=attempt)
    if found.phase is StepPhase.RETRYING:
        context.retry_at(step.name, index, found.due)
    if found.phase.ended:
        loop.outputs.pop(str(index), None)
        loop.outputs |= {str(index): found.outputs} if found.outputs else {}
    return replace(
        state,
        phase=_phase(state, loop),
        attempts=max(state.attempts, found.unit.begun),
        start_time=state.start_time or found.started or context.now_text,
        jobs=with_jobs(state.jobs, found.jobs),
        pods=_sum(state.pods, found.pods),
        exit_code=found.exit_code if found.exit_code is not None else state.exit_code,
        last_attempt=state.last_attempt if attempt is None or (known and known.last_attempt == attempt) else attempt,
        last=_last(state.last, index, found, attempt),
    )


def _last_attempt(found: UnitProgress) -> Attempt | None:
    """The last attempt. An iteration that failed though its Job completed gives it the iteration's reason."""
    attempt = found.unit.last
    if attempt is None or not found.phase.ended or (attempt.phase, attempt.reason) == (found.phase, found.reason):
        return attempt
    return replace(attempt, phase=found.phase, reason=found.reason, message=found.message)


def _phase(state: StepStatus, loop: _Loop) -> StepPhase:
    return StepPhase.RUNNING if loop.running or loop.retries.keys() <= loop.over else StepPhase.RETRYING


def _last(
    known: LastIteration | None, index: int, found: UnitProgress, attempt: Attempt | None
) -> LastIteration | None:
    if not found.phase.ended or attempt is None or (known is not None and known.index > index):
        return known
    return LastIteration(index=index, phase=found.phase, exit_code=attempt.exit_code, outputs=found.outputs)
