"""`Job.status` from the ledger and one recount; and whether it is worth a write."""

from typing import Any

import msgspec

from controller.job.children import volumes
from controller.job.children.plugin_objects import plugin_keys
from controller.job.decide import record as ledgers
from controller.job.decide.defaults import Wanted
from controller.job.decide.record import Ledger
from controller.job.decide.snapshot import Situation
from controller.job.observe.observed import JobSeen
from controller.job.observe.pod_counts import total
from controller.plugin_api import job_shape
from controller.plugins import controlled_resources
from shared import duration
from shared.model.job_status import JobState, JobStatus, TaskCounts, TaskRecord
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.timestamp import epoch, epoch_or_none, rfc3339


def build(now: Situation) -> JobStatus:
    """The whole status."""
    ledger, counts = now.ledger, now.counts
    job = now.seen.job
    return JobStatus(
        state=JobState(
            phase=ledger.phase, reason=ledger.reason, message=ledger.message, last_transition_time=ledger.transition
        ),
        min_available=now.wanted.min_available,
        **{field: total(counts, field) for field in COUNTERS},
        task_status_count={name: TaskCounts(phase=count.by_phase) for name, count in counts.items() if count.by_phase},
        version=ledger.version,
        retry_count=ledger.retries,
        running_duration=_running_duration(ledger, now.seen.now),
        controlled_resources=_controlled(now.seen, now.wanted, ledger.phase),
        conditions=ledger.conditions,
        observed_generation=ledger.generation,
        start_time=ledger.started,
        completion_time=ledger.ended,
        expected_end_time=_expected_end(ledger, job.spec.running_estimate),
        tasks=ledgers.records(ledger),
        handled=tuple(ledger.handled.values()),
        handled_commands=ledger.commands,
    )


COUNTERS = ("pending", "running", "succeeded", "failed", "terminating", "unknown")


def _running_duration(ledger: Ledger, now: float) -> str | None:
    if ledger.started is None:
        return None
    stopped = ledger.ended or (ledger.transition if ledger.phase is JobPhase.ABORTED else None)
    return duration.text(max(0, int((epoch(stopped) if stopped else now) - epoch(ledger.started))))


def _expected_end(ledger: Ledger, estimate: str | None) -> str | None:
    started, needed = epoch_or_none(ledger.started), duration.seconds_or(estimate, 0.0)
    return rfc3339(started + needed) if started is not None and needed > 0 else None


def _controlled(seen: JobSeen, wanted: Wanted, phase: JobPhase) -> dict[str, str]:
    made = {f"volume-pvc-{claim}": claim for claim in volumes.claims(seen.job)}
    if phase.finished or not plugin_keys(seen.job, wanted):
        return made
    return {**made, **controlled_resources(job_shape(seen.job))}


def dumped(status: JobStatus) -> Body:
    """As JSON has it, so that it compares equal to what is stored."""
    raw: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(status))
    return raw


def same(stored: JobStatus, wanted: JobStatus) -> bool:
    """Whether nothing changed. The running duration alone grows with every look and is not worth a write."""
    return stored == msgspec.structs.replace(wanted, running_duration=stored.running_duration)


def only_counts_differ(stored: JobStatus, wanted: JobStatus) -> bool:
    """Whether the change may wait a moment, since more of its kind is likely to follow."""
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
