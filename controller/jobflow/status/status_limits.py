"""Keeps a status below the size limit of the API server (docs/design/jobflow-api.md, section 8)."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from shared.model.flow_status import Attempt, Iterations, JobFlowStatus, StepStatus
from shared.names import MAX_STATUS_BYTES

_MESSAGE: Final = 100
_MAYBE: Final = 1 << 18  # steps and Jobs are counted before anything is encoded: most flows are far below
_A_STEP: Final = 700
_A_JOB: Final = 900
_A_STAY: Final = 120


def limit_status(status: JobFlowStatus, limit: int = MAX_STATUS_BYTES) -> JobFlowStatus:
    """`status` without running histories, task counts, long messages and old entries, dropped in this order as needed."""
    rough = len(status.steps) * _A_STEP + len(status.job_status_list) * _A_JOB
    rough += sum(len(entry.running_histories) for entry in status.job_status_list) * _A_STAY
    if rough < _MAYBE and not any(step.iterations for step in status.steps):
        return status
    for lighter in _STAGES:
        if len(msgspec.json.encode(status)) <= limit:
            return status
        status = lighter(status)
    return status


def _no_histories(status: JobFlowStatus) -> JobFlowStatus:
    return replace(
        status, job_status_list=tuple(replace(entry, running_histories=()) for entry in status.job_status_list)
    )


def _no_task_counts(status: JobFlowStatus) -> JobFlowStatus:
    return replace(
        status, conditions={name: replace(one, task_status_count={}) for name, one in status.conditions.items()}
    )


def _short_messages(status: JobFlowStatus) -> JobFlowStatus:
    return replace(status, steps=tuple(_short(step) for step in status.steps))


def _short(step: StepStatus) -> StepStatus:
    return replace(
        step,
        message=step.message[:_MESSAGE],
        last_attempt=_cut(step.last_attempt),
        iterations=_iterations(step.iterations, _cut),
    )


def _cut(attempt: Attempt | None) -> Attempt | None:
    return replace(attempt, message=attempt.message[:_MESSAGE]) if attempt else None


def _bare_iterations(status: JobFlowStatus) -> JobFlowStatus:
    return replace(
        status, steps=tuple(replace(step, iterations=_iterations(step.iterations, _bare)) for step in status.steps)
    )


def _bare(attempt: Attempt | None) -> Attempt | None:
    """The fields that decide about the next attempt and that expressions read."""
    if attempt is None:
        return None
    return Attempt(phase=attempt.phase, exit_code=attempt.exit_code, completion_time=attempt.completion_time)


def _iterations(
    iterations: Iterations | None, lighter: Callable[[Attempt | None], Attempt | None]
) -> Iterations | None:
    if iterations is None or not iterations.retries:
        return iterations
    return replace(
        iterations,
        retries=tuple(replace(one, last_attempt=lighter(one.last_attempt)) for one in iterations.retries),
    )


def _no_entries(status: JobFlowStatus) -> JobFlowStatus:
    return replace(status, job_status_list=(), conditions={}, next=status.next[:20])


_STAGES: Final[Sequence[Callable[[JobFlowStatus], JobFlowStatus]]] = (
    _no_histories,
    _no_task_counts,
    _short_messages,
    _bare_iterations,
    _no_entries,
)
