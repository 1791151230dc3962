"""When a status waits to be written. Decisions go by it at once all the same; only people read it later."""

from typing import Final

from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.decide.context import Turn
from shared.kinds import JOB
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import JobPhase
from shared.timestamp import epoch_or_none

_FRESH: Final = 3.0  # seconds; a Job older than that, and still Pending, is worth telling


def held_until(turn: Turn) -> float:
    """The moment before which nothing is written, 0 when there is no reason to wait."""
    seen = turn.seen
    if turn.urgent:
        return 0.0
    if seen.now < seen.write_after:
        return seen.write_after
    return seen.settle_until if seen.now < seen.settle_until and _starting(turn) else 0.0


def held_counts(turn: Turn, new: JobFlowStatus) -> float:
    """The same for a status that differs from the stored one in counts of pods and histories of Jobs alone."""
    seen, old = turn.seen, turn.seen.stored
    if turn.urgent or seen.now >= seen.settle_until:
        return 0.0
    same = replace(new, pods=old.pods, job_status_list=old.job_status_list, conditions=old.conditions)
    return seen.settle_until if same == old else 0.0


def _starting(turn: Turn) -> bool:
    """Whether a Job has only just been made: what follows, that it runs, can be told together with this."""
    return any(one.kind is JOB for one in turn.creates) or any(
        _is_fresh(turn, state) for state in turn.begun() if state.reason not in reasons.OBSTACLES
    )


def _is_fresh(turn: Turn, state: StepStatus) -> bool:
    return any(
        job.phase in (None, JobPhase.PENDING) and (epoch_or_none(job.created) or 0.0) > turn.now - _FRESH
        for job in turn.current_jobs(state)
    )
