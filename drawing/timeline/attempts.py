"""The attempts of a flow's steps from its status, and from its pods where they are known. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from drawing.flow_view import first_jobs, job_of, step_of
from drawing.timeline.model import AttemptSpans, AttemptStage, Span
from shared.model.flow_status import JobEntry, RunningHistory
from shared.model.phases import JobPhase, StepPhase
from shared.model.types import Body
from shared.timestamp import epoch_or_none

_RESULTS: Final = {
    JobPhase.COMPLETED: StepPhase.COMPLETED,
    JobPhase.FAILED: StepPhase.FAILED,
    JobPhase.TERMINATED: StepPhase.TERMINATED,
    JobPhase.ABORTED: StepPhase.SUSPENDED,
    JobPhase.PENDING: StepPhase.PENDING,
}
_IDLE: Final = ("", JobPhase.PENDING, JobPhase.ABORTED, JobPhase.ABORTING)


def attempts(body: Body, pods: Iterable[Body], now: float) -> dict[str, list[AttemptSpans]]:
    """By step, in the order of their start."""
    names = first_jobs(body)
    placed = _scheduled(pods)
    found: dict[str, list[AttemptSpans]] = {}
    for entry in _entries(body):
        step = step_of(entry.name, names)
        spans = tuple(_spans(entry, placed.get(entry.name), now))
        if step and spans:
            phase = _RESULTS.get(JobPhase(entry.state), StepPhase.RUNNING) if entry.state else StepPhase.PENDING
            found.setdefault(step, []).append(AttemptSpans(entry.name, phase, spans))
    return {step: sorted(made, key=lambda attempt: attempt.start) for step, made in found.items()}


def _entries(body: Body) -> Iterator[JobEntry]:
    """Entries that cannot be read are left out: they are those of another writer."""
    for raw in (body.get("status") or {}).get("jobStatusList") or ():
        try:
            entry = msgspec.convert(raw, JobEntry)
        except msgspec.ValidationError:
            continue
        if entry.state in ("", *JobPhase):
            yield entry


def _scheduled(pods: Iterable[Body]) -> Mapping[str, tuple[float, bool]]:
    """For each Job when its last pod got a node, and whether all pods have one."""
    found: dict[str, tuple[float, bool]] = {}
    for pod in pods:
        at = _condition(pod, "PodScheduled")
        last, everyone = found.get(job_of(pod), (0.0, True))
        found[job_of(pod)] = (max(last, at or 0.0), everyone and at is not None)
    return found


def _condition(pod: Body, kind: str) -> float | None:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    held = (each for each in conditions if each.get("type") == kind and each.get("status") == "True")
    return next((epoch_or_none(each.get("lastTransitionTime")) for each in held), None)


def _spans(entry: JobEntry, placed: tuple[float, bool] | None, now: float) -> Iterator[Span]:
    """The stays of a Job in its phases, those that do the same joined."""
    before: Span | None = None
    for stay in entry.running_histories or (_whole(entry),):
        start = epoch_or_none(stay.start_timestamp)
        if start is None:
            continue
        if JobPhase(stay.state or JobPhase.PENDING).finished:
            break
        end = max(epoch_or_none(stay.end_timestamp) or epoch_or_none(entry.end_timestamp) or now, start)
        for span in _stages(stay, start, end, placed):
            if before is not None and before.stage is span.stage:
                before = Span(before.stage, before.start, span.end)
                continue
            if before is not None:
                yield before
            before = span
    if before is not None:
        yield before


def _whole(entry: JobEntry) -> RunningHistory:
    return RunningHistory(
        start_timestamp=entry.start_timestamp,
        end_timestamp=entry.end_timestamp,
        state=JobPhase.PENDING if entry.state in _IDLE else JobPhase.RUNNING,
    )


def _stages(stay: RunningHistory, start: float, end: float, placed: tuple[float, bool] | None) -> Iterator[Span]:
    if stay.state not in _IDLE:
        yield Span(AttemptStage.RUNNING, start, end)
    elif placed is None:
        yield Span(AttemptStage.NOT_RUNNING, start, end)
    elif not placed[1]:
        yield Span(AttemptStage.ROOM, start, end)
    else:
        room = min(max(placed[0], start), end)
        yield from (
            span
            for span in (Span(AttemptStage.ROOM, start, room), Span(AttemptStage.STARTING, room, end))
            if span.end > span.start
        )
