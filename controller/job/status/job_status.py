"""`Job.status` from the record and the pod counts, and whether it differs from what is stored."""

from typing import Any

import msgspec

from controller.job.model import volumes
from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.job.model.plugin_objects import plugin_keys
from controller.job.model.pod_counts import total
from controller.job.model.record import JobRecord, task_records
from controller.job.phase.snapshot import JobSnapshot
from controller.plugin_api import plugin_job
from controller.plugins import controlled_resources
from shared import duration
from shared.model.job_status import JobState, JobStatus, TaskCounts, TaskRecord
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.timestamp import epoch, epoch_or_none, rfc3339


def build(snapshot: JobSnapshot) -> JobStatus:
    """The whole status."""
    record, counts = snapshot.record, snapshot.counts
    job = snapshot.observed.job
    return JobStatus(
        state=JobState(
            phase=record.phase, reason=record.reason, message=record.message, last_transition_time=record.transition
        ),
        min_available=snapshot.wanted.min_available,
        **{field: total(counts, field) for field in COUNTERS},
        task_status_count={name: TaskCounts(phase=count.by_phase) for name, count in counts.items() if count.by_phase},
        version=record.version,
        retry_count=record.retries,
        running_duration=_running_duration(record, snapshot.observed.now),
        controlled_resources=_controlled(snapshot.observed, snapshot.wanted, record.phase),
        conditions=record.conditions,
        observed_generation=record.generation,
        start_time=record.started,
        completion_time=record.ended,
        active_since=record.active_since,
        suspended=record.suspended,
        expected_end_time=_expected_end(record, job.spec.running_estimate),
        tasks=task_records(record),
        handled=tuple(record.handled.values()),
        handled_commands=record.commands,
    )


COUNTERS = ("pending", "running", "succeeded", "failed", "terminating", "unknown")


def _running_duration(record: JobRecord, now: float) -> str | None:
    if record.started is None:
        return None
    stopped = record.ended or (record.transition if record.phase is JobPhase.ABORTED else None)
    return duration.text(max(0, int((epoch(stopped) if stopped else now) - epoch(record.started))))


def _expected_end(record: JobRecord, estimate: str | None) -> str | None:
    started, needed = epoch_or_none(record.started), duration.seconds_or(estimate, 0.0)
    return rfc3339(started + needed) if started is not None and needed > 0 else None


def _controlled(observed: JobObservation, wanted: EffectiveSpec, phase: JobPhase) -> dict[str, str]:
    made = {f"volume-pvc-{claim}": claim for claim in volumes.claims(observed.job)}
    if phase.finished or not plugin_keys(observed.job, wanted):
        return made
    return {**made, **controlled_resources(plugin_job(observed.job))}


def dumped(status: JobStatus) -> Body:
    """As JSON. `running` is written as 0 too, because `kubectl get` shows it in a column."""
    raw: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(status))
    return {"running": 0, **raw}


def same(stored: JobStatus, wanted: JobStatus) -> bool:
    """Whether nothing has changed. The running duration grows with every pass and is not worth a write."""
    return stored == msgspec.structs.replace(wanted, running_duration=stored.running_duration)


def only_counts_differ(stored: JobStatus, wanted: JobStatus) -> bool:
    """Whether the change may wait a moment, since more of its kind are likely to follow."""
    return _without_counts(stored) == _without_counts(wanted)


def _without_counts(status: JobStatus) -> JobStatus:
    return msgspec.structs.replace(
        status,
        **dict.fromkeys(COUNTERS, 0),
        task_status_count={},
        running_duration=None,
        state=msgspec.structs.replace(status.state, reason="", message=""),
        tasks=tuple(_without_indexes(record) for record in status.tasks),
    )


def _without_indexes(record: TaskRecord) -> TaskRecord:
    return msgspec.structs.replace(record, created="", succeeded="", failed="")
