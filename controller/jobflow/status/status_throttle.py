"""When the write of a status is deferred. Decisions use the new status at once; only readers see it later."""

from typing import Final

from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from shared.kinds import COMMAND
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import JobPhase
from shared.timestamp import epoch_or_none

_FRESH: Final = 3.0  # seconds; a Job older than that, and still Pending, is worth telling


def deferred_until(context: FlowContext) -> float:
    """Epoch seconds until which the write is deferred; 0: write now."""
    observed = context.observed
    if context.urgent:
        return 0.0
    if observed.now < observed.write_after:
        return observed.write_after
    return observed.settle_until if observed.now < observed.settle_until and _starting(context) else 0.0


def counts_deferred_until(context: FlowContext, new: JobFlowStatus) -> float:
    """The same for a status that differs from the stored one in counts of pods and histories of Jobs alone."""
    observed, old = context.observed, context.observed.stored
    if context.urgent or observed.now >= observed.settle_until:
        return 0.0
    same = replace(new, pods=old.pods, job_status_list=old.job_status_list, conditions=old.conditions)
    return observed.settle_until if same == old else 0.0


def _starting(context: FlowContext) -> bool:
    """Whether a child was created a moment ago: one write can report that and its next phase."""
    return any(one.kind is not COMMAND for one in context.creates) or any(
        _is_fresh(context, state) for state in context.begun() if state.reason not in reasons.JOB_BLOCKED
    )


def _is_fresh(context: FlowContext, state: StepStatus) -> bool:
    return any(
        job.phase in (None, JobPhase.PENDING) and (epoch_or_none(job.created) or 0.0) > context.now - _FRESH
        for job in context.current_jobs(state)
    )
