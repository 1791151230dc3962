"""The attempts of one unit (a step, or one iteration of a loop), as its Jobs report them."""

import msgspec
from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.children.registry import type_of, type_of_child
from controller.jobflow.control import daemon, failure, outputs, retry, unreadable
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import ExpressionFault
from controller.jobflow.model.observed import ObservedChild
from shared.model.flow_status import Attempt, PodCounts
from shared.model.phases import JobPhase, StepPhase
from shared.model.step import Step
from shared.timestamp import epoch_or_none, rfc3339

_PHASES = {
    None: StepPhase.PENDING,
    JobPhase.PENDING: StepPhase.PENDING,
    JobPhase.ABORTED: StepPhase.SUSPENDED,
}
_LONGEST = 512
_PATIENCE = 5.0  # seconds that a Job may be Pending before its step says why
_SKEW = 5.0  # seconds by which the clocks of two controllers may differ


class Unit(msgspec.Struct, frozen=True):
    """`index`: the iteration, None for a step without `for`; `begun`: number of the next attempt; `base`: number of the
    first since the last command; `last`: the last attempt accounted for; `flying`: one more is under way; `at_once`: the next
    one starts without back-off."""

    index: int | None
    begun: int
    base: int
    last: Attempt | None = None
    flying: bool = False
    at_once: bool = False


class UnitProgress(msgspec.Struct):
    """The state of a unit after reading its Jobs. `phase` WAITING: nothing started since the last command; `due`: when the next
    attempt may start; `pods`: of the attempts that ended in this look; `jobs`: names it began."""

    unit: Unit
    phase: StepPhase = StepPhase.WAITING
    reason: str = ""
    message: str = ""
    due: float = 0.0
    started: str = ""
    jobs: tuple[str, ...] = ()
    pods: PodCounts | None = None
    exit_code: int | None = None
    outputs: dict[str, str] = {}


def follow(context: FlowContext, step: Step, unit: Unit, used: int) -> UnitProgress:
    """Follow the unit's Jobs from the last attempt accounted for to the present. `used`: bytes of the flow's outputs."""
    found = UnitProgress(unit)
    if not unit.flying and unit.begun > unit.base and unit.last is not None:
        found.phase, found.due = StepPhase.RETRYING, _due(context, step, unit, unit.last)
    while True:
        unit = found.unit
        if not unit.flying:
            job = context.jobs.get(context.plan.job_name(step.name, unit.index, unit.begun))
            if job is None:
                return found
            found.started = found.started or job.created
            found.jobs = (*found.jobs, job.name)
            found.unit = unit = Unit(unit.index, unit.begun + 1, unit.base, unit.last, flying=True)
        if not _account(context, step, found, used):
            return found


def _account(context: FlowContext, step: Step, found: UnitProgress, used: int) -> bool:
    """Read the current attempt; True when it has ended and another may follow."""
    unit = found.unit
    name = context.plan.job_name(step.name, unit.index, unit.begun - 1)
    job = context.jobs.get(name)
    if job is not None and _continues(unit, job):
        context.resume(job)
        found.phase, found.reason, found.message = StepPhase.RUNNING, "", ""
        return False
    attempt = _ended(context, step, name, job)
    if attempt is None:
        _running(context, found, job)
        return False
    found.unit = Unit(unit.index, unit.begun, unit.base, attempt)
    found.exit_code = attempt.exit_code
    if job is not None:
        before = found.pods or PodCounts()
        found.pods = PodCounts(
            succeeded=before.succeeded + job.status.succeeded, failed=before.failed + job.status.failed
        )
    if attempt.phase == StepPhase.COMPLETED:
        _completed(context, step, found, job, used)
        return False
    found.outputs = type_of_child(job).available(context, step, job, used) if job is not None else {}
    return _failed(context, step, found, attempt)


def _continues(unit: Unit, child: ObservedChild) -> bool:
    """Whether the child's end has been accounted for, and a Command has begun the same attempt again.

    A child may continue and complete within the second in which it had failed: then it shows the same moment.
    """
    last = unit.last
    if not child.ended or last is None or child.phase is JobPhase.COMPLETED:
        return False
    return (last.job, last.completion_time) == (child.name, child.ended_at)


def _running(context: FlowContext, found: UnitProgress, job: ObservedChild | None) -> None:
    found.reason, found.message = "", ""
    if job is None:  # it is being read; until then the state stays
        found.phase = StepPhase.PENDING
        return
    found.phase = _PHASES.get(job.phase, StepPhase.RUNNING)
    continued = found.unit.last is not None and found.unit.last.job == job.name
    if (
        job.ended or continued
    ):  # its pods are being asked for; or `in_flight` recognizes a continued attempt by this phase
        found.phase = StepPhase.RUNNING
    if found.phase is StepPhase.SUSPENDED:
        found.reason, found.message = (
            reasons.JOB_ABORTED,
            f"{job.kind.kind} {job.name} is Aborted; resume it to continue",
        )
    elif unreadable.is_told(context, job):
        found.reason, found.message = reasons.CONDITION_ERROR, unreadable.words(job)
    elif _is_blocked(context, job):
        said = f"{job.kind.kind} {job.name}: {job.status.state.message}"[:_LONGEST]
        found.reason, found.message = _shown(job.status.state.reason), said


def _is_blocked(context: FlowContext, job: ObservedChild) -> bool:
    """Whether the reason of the Job is worth showing. Every Job is Pending for a moment; one that stays so is shown."""
    state = job.status.state
    if state.reason not in reasons.JOB_WAITS:
        return _shown(state.reason) in reasons.JOB_BLOCKED
    since = epoch_or_none(state.last_transition_time) or epoch_or_none(job.created) or context.now
    if context.now >= since + _PATIENCE:
        return True
    context.wake_at(since + _PATIENCE)
    return False


def _shown(reason: str) -> str:
    """The reason of a Job as its step shows it. A flow with the reason QuotaExceeded is held itself and has no place."""
    return reasons.JOB_HELD if reason == reasons.QUOTA_EXCEEDED else reason


def _completed(context: FlowContext, step: Step, found: UnitProgress, job: ObservedChild | None, used: int) -> None:
    found.phase, found.reason, found.message = StepPhase.COMPLETED, "", ""
    if job is None:
        return
    try:
        found.outputs = type_of_child(job).outputs(context, step, job, used)
    except outputs.MissingOutput as missing:
        found.outputs = type_of_child(job).available(context, step, job, used)
        found.phase, found.reason, found.message = StepPhase.FAILED, reasons.OUTPUT_MISSING, str(missing)


def _failed(context: FlowContext, step: Step, found: UnitProgress, attempt: Attempt) -> bool:
    found.phase, found.reason, found.message = StepPhase(attempt.phase), attempt.reason, attempt.message
    tried = found.unit.begun - found.unit.base
    if failure.halts(context, step):
        if attempt.phase == StepPhase.FAILED and retry.is_left(context, step, tried):
            _not_retried(found, attempt, failure.halt_words(context, step))
        return False
    try:
        if not retry.again(context, step, attempt, tried):
            _not_retried(found, attempt, retry.why_none(context, step, tried))
            return False
    except ExpressionFault as fault:
        found.phase, found.reason, found.message = StepPhase.FAILED, reasons.INVALID_EXPRESSION, str(fault)
        return False
    found.phase, found.due = StepPhase.RETRYING, _due(context, step, found.unit, attempt)
    return True


def _not_retried(found: UnitProgress, attempt: Attempt, why: str) -> None:
    """Say why the attempt was the last one."""
    if why:
        attempt = replace(attempt, message=not_retried(attempt.message, why))
        found.unit, found.message = replace(found.unit, last=attempt), attempt.message


def not_retried(message: str, why: str) -> str:
    """The message of a last attempt, with the reason why no other one follows."""
    end = f"; not retried: {why}"
    return f"{message[: _LONGEST - len(end)]}{end}"


def _due(context: FlowContext, step: Step, unit: Unit, attempt: Attempt) -> float:
    ended = epoch_or_none(attempt.completion_time) or context.now
    if unit.at_once:
        return context.now
    pause = retry.pause(context.plan.retry(step), unit.begun - unit.base)
    # An end far in the future was recorded by a clock that has been set back since: do not wait for hours.
    return context.now if ended > context.now + max(pause, _SKEW) else ended + pause


def _ended(context: FlowContext, step: Step, name: str, job: ObservedChild | None) -> Attempt | None:
    """The attempt once it has ended and everything needed is known; else None, and missing data is requested."""
    if job is None:
        if name in context.observed.deleted_jobs:
            return _deleted(context, step, name)
        made = type_of(step)
        if made is not None:
            context.reads.children.add((made.kind_of(context, step), name))
        return None
    late = _deadline(context, step, job) or unreadable.too_long(context, job)
    halted = failure.halts(context, step)
    if job.phase is JobPhase.ABORTED and (late or halted):
        phase = StepPhase.FAILED if late else StepPhase.TERMINATED
        return _of(
            job,
            phase,
            late or failure.halt_reason(context, step),
            context.now_text,
            None,
            _said(context, step, job, late),
        )
    if job.phase is JobPhase.ABORTED and step.daemon and daemon.served(context, step.name):
        return _of(job, StepPhase.COMPLETED, "", context.now_text, None)
    if not job.ended:
        return None
    pods = context.observed.pods.get(name)
    if pods is None and type_of_child(job).reads_pods(step, job):
        context.reads.pods.add(name)
        return None
    if job.phase is JobPhase.COMPLETED:
        return _of(job, StepPhase.COMPLETED, "", job.ended_at, 0)
    code = pods.exit_code if pods else None
    if job.phase is JobPhase.FAILED:
        return _of(job, StepPhase.FAILED, job.status.state.reason or reasons.JOB_FAILED, job.ended_at, code)
    if late:
        return _of(job, StepPhase.FAILED, late, job.ended_at, code, _said(context, step, job, late))
    if step.daemon and not halted and daemon.was_stopped(context, step.name, job):
        return _of(job, StepPhase.COMPLETED, "", job.ended_at, None)
    if halted:
        return _of(
            job,
            StepPhase.TERMINATED,
            failure.halt_reason(context, step),
            job.ended_at,
            code,
            _said(context, step, job, late),
        )
    reason = job.status.state.reason or reasons.JOB_TERMINATED
    return _of(job, StepPhase.TERMINATED, reason, job.ended_at, code)


def _deleted(context: FlowContext, step: Step, name: str) -> Attempt:
    """The attempt whose child is gone. Objects are stopped by their deletion, which a restarted controller has missed."""
    if step.resource is not None and step.daemon and daemon.served(context, step.name):
        return Attempt(job=name, phase=StepPhase.COMPLETED, completion_time=context.now_text)
    stopped = step.resource is not None and failure.halts(context, step)
    kind = step.resource.manifest.get("kind") if step.resource is not None else "Job"
    return Attempt(
        job=name,
        phase=StepPhase.TERMINATED if stopped else StepPhase.FAILED,
        reason=failure.halt_reason(context, step) if stopped else reasons.JOB_DELETED,
        message=f"{kind} {name} was deleted before it ended",
        completion_time=context.now_text,
    )


def _said(context: FlowContext, step: Step, job: ObservedChild, late: str) -> str:
    """Why the flow has terminated a Job of this step, for people."""
    if late == reasons.CONDITION_ERROR:
        return unreadable.words(job)
    if late:
        return f"the attempt took longer than activeDeadlineSeconds ({step.active_deadline_seconds} s)"
    return failure.halt_words(context, step)


def _of(job: ObservedChild, phase: StepPhase, reason: str, ended_at: str, code: int | None, why: str = "") -> Attempt:
    state = job.status.state
    said = (
        f"{job.kind.kind} {job.name} was terminated: {why}"
        if why
        else state.message or f"{job.kind.kind} {job.name} is {state.phase or 'gone'}"
    )
    return Attempt(
        job=job.name,
        phase=phase,
        reason=reason,
        exit_code=code,
        message="" if phase is StepPhase.COMPLETED else said[:512],
        start_time=job.created or None,
        completion_time=ended_at or None,
    )


def _deadline(context: FlowContext, step: Step, job: ObservedChild) -> str:
    """DeadlineExceeded if the attempt ran, or runs, past `activeDeadlineSeconds`; a Job that still runs is terminated."""
    begun = epoch_or_none(job.created)
    if step.active_deadline_seconds is None or begun is None:
        return ""
    until = begun + step.active_deadline_seconds
    if job.ended:
        return reasons.DEADLINE_EXCEEDED if (epoch_or_none(job.ended_at) or context.now) >= until else ""
    if context.now < until:
        context.wake_at(until)
        return ""
    context.terminate(job)
    return reasons.DEADLINE_EXCEEDED


def ended_now(context: FlowContext, attempt: Attempt | None) -> str:
    """When the unit ended: with its last attempt, else now."""
    return (attempt.completion_time if attempt else None) or rfc3339(context.now)
