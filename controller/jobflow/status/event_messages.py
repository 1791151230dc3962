"""Events: one for each reason in a status write, however many steps it covers (docs/design/jobflow-api.md, section 8)."""

from collections.abc import Iterator
from typing import Final

from controller.decision import Note
from controller.jobflow import reasons
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import FlowOutcome, FlowPhase, StepPhase

_NAMED: Final = 10
_ENDS: Final = {
    StepPhase.COMPLETED: "StepCompleted",
    StepPhase.SKIPPED: "StepSkipped",
    StepPhase.FAILED: "StepFailed",
    StepPhase.TERMINATED: "StepFailed",
}
_SAID: Final = {
    "StepStarted": "started",
    "StepCompleted": "completed",
    "StepSkipped": "skipped",
    "StepFailed": "failed",
    "StepRetrying": "will be tried again",
    "IterationFailed": "has failed iterations",
    "TemplateNotFound": "waits for its template",
    "JobRejected": "cannot have its Job for now",
    "QueueClosed": "waits for its queue",
    "PodProblem": "has a problem with its pods",
    "NameConflict": "failed: its Job's name is taken",
}
_WARNINGS: Final = (
    "StepFailed",
    "IterationFailed",
    "TemplateNotFound",
    "JobRejected",
    "QueueClosed",
    "PodProblem",
    "NameConflict",
)
_TOLD_AT_ONCE: Final = (
    reasons.TEMPLATE_NOT_FOUND,
    reasons.JOB_REJECTED,
    reasons.QUEUE_CLOSED,
    reasons.POD_PROBLEM,
    reasons.ITERATION_FAILED,
)
ROUTINE_STEP_EVENTS: Final = frozenset({"StepStarted", "StepCompleted", "StepSkipped"})
"""Normal events of steps: the first to be left out when there are too many."""


def event_messages(before: JobFlowStatus, after: JobFlowStatus) -> Iterator[Note]:
    """What changed from the stored status to the new one."""
    known = {step.name: step for step in before.steps}
    happened: dict[tuple[str, str], list[StepStatus]] = {}
    for step in after.steps:
        old = known.get(step.name)
        if old != step:
            reason = _happened(old or StepStatus(name=step.name), step)
            if reason:
                happened.setdefault((reason, _said(reason, step)), []).append(step)
    for (reason, said), steps in happened.items():
        yield Note(reason, _sentence(said, steps), "Warning" if reason in _WARNINGS else "Normal")
    yield from _flow(before, after)


def _happened(old: StepStatus, new: StepStatus) -> str:
    if new.phase.ended:
        if old.phase is new.phase and old.completion_time == new.completion_time:
            return ""
        return "NameConflict" if new.reason == reasons.NAME_CONFLICT else _ENDS[new.phase]
    if new.phase is StepPhase.RETRYING and old.last_attempt != new.last_attempt:
        return "StepRetrying"
    if new.reason in _TOLD_AT_ONCE and old.reason != new.reason:
        return new.reason
    begun = new.attempts > new.attempt_base or new.iterations is not None
    had_begun = old.attempt_base == new.attempt_base and (old.attempts > old.attempt_base or old.iterations is not None)
    return "StepStarted" if begun and not had_begun else ""


def _said(reason: str, step: StepStatus) -> str:
    terminated = reason == "StepFailed" and step.phase is StepPhase.TERMINATED
    return "was terminated" if terminated else _SAID[reason]


def _sentence(said: str, steps: list[StepStatus]) -> str:
    if len(steps) == 1:
        step = steps[0]
        why = ": ".join(part for part in (step.reason, step.message) if part)
        return f"step {step.name} {said}" + (f": {why}" if why else "")
    names = ", ".join(step.name for step in steps[:_NAMED])
    more = f" and {len(steps) - _NAMED} more" if len(steps) > _NAMED else ""
    return f"{len(steps)} steps {said.replace('its', 'their').replace('was ', 'were ')}: {names}{more}"


def _flow(before: JobFlowStatus, after: JobFlowStatus) -> Iterator[Note]:
    if after.outcome == FlowOutcome.DEADLINE_EXCEEDED and before.outcome != after.outcome:
        yield Note("DeadlineExceeded", "activeDeadlineSeconds have passed; running Jobs are terminated", "Warning")
    if held := _held(after):
        yield from () if _held(before) else (Note(reasons.QUOTA_EXCEEDED, held, waits=True),)
        return
    if _held(before) and not after.completion_time:
        yield Note("QuotaFree", "the quota has room: steps start")
    was, now = before.state.phase, after.state.phase
    if was is now:
        return
    if now is FlowPhase.SUCCEED:
        yield Note("Succeeded", f"{after.progress} steps in {after.duration or '0s'}")
    elif now is FlowPhase.FAILED:
        yield Note("Failed", after.state.message or after.state.reason or "the flow failed", "Warning")
    elif now is FlowPhase.SUSPENDED:
        yield Note("Suspended", "nothing new starts until it is resumed", waits=True)
    elif was is FlowPhase.SUSPENDED and not after.outcome:  # a flow that was stopped starts no steps
        yield Note("Resumed", "steps start again")


def _held(status: JobFlowStatus) -> str:
    """The quota that holds the flow, in words."""
    return status.state.message if status.state.reason == reasons.QUOTA_EXCEEDED else ""
