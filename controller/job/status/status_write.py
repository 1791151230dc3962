"""Whether the status is written now, and with which reason.

Counters of a Job may change many times a second; a status that differs in nothing else is held back for a moment.
"""

import msgspec

from controller.job.children.children import Children
from controller.job.decide.snapshot import Situation
from controller.job.observe.observed import JobSeen
from controller.job.status import job_status
from controller.job.status.conditions import why
from shared.model.job_status import JobStatus
from shared.model.phases import JobPhase
from shared.model.types import Body


def with_reason(now: Situation, made: Children | None) -> Situation:
    reason, message = why(now, made.obstacle if made else None)
    return msgspec.structs.replace(now, ledger=now.ledger.but(reason=reason, message=message))


def changed(seen: JobSeen, now: Situation) -> Body | None:
    """The new status, or None when the stored one says it all."""
    built = job_status.build(now)
    return None if job_status.same(seen.job.status, built) else job_status.dumped(built)


def hold_back(seen: JobSeen, now: Situation, made: Children, written: object) -> float:
    """Seconds to hold a status back that differs in counters only; none when deletions depend on it.

    The first Pending may wait as well: pods that start soon make it one write instead of two.
    """
    if written is None or seen.wrote_ago is None or made.cleanup:
        return 0.0
    stored: JobStatus = seen.job.status
    beginning = stored.state.phase is None and now.ledger.phase is JobPhase.PENDING and not made.obstacle
    if not beginning and not job_status.only_counts_differ(stored, job_status.build(now)):
        return 0.0
    return max(0.0, seen.settings.count_seconds - seen.wrote_ago)
