"""Volcano's lists of Jobs in `JobFlow.status`: unfinished Jobs and the last finished ones (docs/design/jobflow-api.md, section 8)."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec
from msgspec.structs import replace

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.job_stays import MAX_STAYS, joined
from controller.jobflow.model.observed import ObservedChild
from shared import duration
from shared.kinds import JOB
from shared.model.flow_status import FlowCondition, JobEntry, RunningHistory
from shared.model.phases import JobPhase
from shared.names import MAX_FINISHED_JOBS_LISTED, MAX_FINISHED_JOBS_LISTED_IN_PROGRESS
from shared.timestamp import epoch_or_none

_LISTS: Final = {
    JobPhase.PENDING: "pending_jobs",
    JobPhase.RUNNING: "running_jobs",
    JobPhase.RESTARTING: "running_jobs",
    JobPhase.COMPLETING: "running_jobs",
    JobPhase.ABORTING: "running_jobs",
    JobPhase.TERMINATING: "running_jobs",
    JobPhase.COMPLETED: "completed_jobs",
    JobPhase.FAILED: "failed_jobs",
    JobPhase.TERMINATED: "terminated_jobs",
    JobPhase.ABORTED: "un_know_jobs",
}
_FINISHED: Final = {str(phase) for phase in JobPhase if phase.finished}


class JobLists(msgspec.Struct, frozen=True):
    """The fields of the status that name Jobs."""

    entries: tuple[JobEntry, ...]
    conditions: dict[str, FlowCondition]
    by_phase: dict[str, tuple[str, ...]]


def job_lists(context: FlowContext) -> JobLists:
    """The lists from the present Jobs, and from the old status for Jobs that are gone."""
    jobs = {name: child for name, child in context.jobs.items() if child.kind is JOB}
    entries = {entry.name: _gone(context, entry) for entry in context.status.job_status_list if entry.name not in jobs}
    stored = {entry.name: entry.running_histories for entry in context.status.job_status_list}
    entries |= {job.name: _entry(job, stored.get(job.name, ())) for job in jobs.values()}
    for create in context.creates:
        name = create.body["metadata"]["name"]
        if create.kind is JOB and name not in jobs:
            entries[name] = JobEntry(name=name, state=JobPhase.PENDING, start_timestamp=context.now_text)
    kept = _kept(entries.values(), _most_finished(context, max(len(entries), len(context.plan.steps))))
    by_phase: dict[str, list[str]] = {name: [] for name in dict.fromkeys(_LISTS.values())}
    for entry in kept:
        by_phase[_LISTS.get(JobPhase(entry.state), "pending_jobs") if entry.state else "pending_jobs"].append(
            entry.name
        )
    conditions = {entry.name: _condition(context, entry) for entry in kept}
    return JobLists(kept, conditions, {name: tuple(jobs) for name, jobs in by_phase.items()})


def _most_finished(context: FlowContext, jobs: int) -> int:
    """How many finished Jobs are listed. Fewer while a large flow runs: each of its frequent writes costs the API server
    CPU time in proportion to its size."""
    if context.completion_time is None and jobs > MAX_FINISHED_JOBS_LISTED:
        return MAX_FINISHED_JOBS_LISTED_IN_PROGRESS
    return MAX_FINISHED_JOBS_LISTED


def _kept(entries: Iterable[JobEntry], most_finished: int) -> tuple[JobEntry, ...]:
    unfinished: list[JobEntry] = []
    finished: list[JobEntry] = []
    for entry in entries:
        (finished if entry.state in _FINISHED else unfinished).append(entry)
    if len(finished) > most_finished:
        finished.sort(key=lambda entry: (entry.end_timestamp or "", entry.name))
        finished = finished[-most_finished:]
    return tuple(sorted((*finished, *unfinished), key=lambda entry: (entry.start_timestamp or "", entry.name)))


def _entry(job: ObservedChild, stored: Sequence[RunningHistory]) -> JobEntry:
    return JobEntry(
        name=job.name,
        state=job.phase or JobPhase.PENDING,
        start_timestamp=job.created or None,
        end_timestamp=job.ended_at or None,
        restart_count=job.status.retry_count,
        running_histories=_histories(job, stored),
    )


def _histories(job: ObservedChild, stored: Sequence[RunningHistory]) -> tuple[RunningHistory, ...]:
    """Every stay of the Job in a phase, the latest last: those that were seen and those that are stored."""
    seen = [
        (str(one.status), one.last_transition_time or "") for one in job.stays or job.status.conditions if one.status
    ]
    if not seen and job.phase is not None:
        seen = [(str(job.phase), job.status.state.last_transition_time or job.created)]
    known = [(one.state, one.start_timestamp or "") for one in stored if (one.start_timestamp or "") >= job.created]
    merged = joined(known, seen)
    changes = [stay for place, stay in enumerate(merged) if place == 0 or merged[place - 1][0] != stay[0]]
    histories = [
        RunningHistory(state=phase, start_timestamp=begun or None, end_timestamp=ended or None)
        for (phase, begun), (_, ended) in pairwise([*changes, ("", job.ended_at)])
    ]
    return tuple(histories[-MAX_STAYS:])


def _gone(context: FlowContext, entry: JobEntry) -> JobEntry:
    """A Job that vanished before it ended counts as failed."""
    if entry.state in _FINISHED:
        return entry
    return replace(entry, state=JobPhase.FAILED, end_timestamp=context.now_text)


def _condition(context: FlowContext, entry: JobEntry) -> FlowCondition:
    job = context.jobs.get(entry.name)
    if job is None:
        known = context.status.conditions.get(entry.name) or FlowCondition(create_time=entry.start_timestamp)
        return replace(known, phase=JobPhase(entry.state) if entry.state else None)
    return FlowCondition(
        phase=job.phase or JobPhase.PENDING,
        create_time=job.created or None,
        running_duration=job.status.running_duration or _lasted(job),
        task_status_count=job.status.task_status_count,
    )


def _lasted(job: ObservedChild) -> str | None:
    begun, ended = epoch_or_none(job.created), epoch_or_none(job.ended_at)
    return duration.text(max(ended - begun, 0.0)) if begun is not None and ended is not None else None
