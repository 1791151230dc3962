"""What happens when an `endTime` that has passed is removed or moved later: times after it until then are not due.

Times before it still are, so the schedule is followed to its old end first. Then the edit is recorded.
"""

import msgspec

from shared.model.schedules.cron_job_flow import CronJobFlow
from shared.timestamp import epoch_or_none


class EndedPeriod(msgspec.Struct, frozen=True):
    """`end`: the recorded end that has passed; `recorded`: as text; `closed_at`: when all its times have been due,
    epoch seconds.
    """

    end: int
    recorded: str
    closed_at: int


def ended_period(cron: CronJobFlow, now: float) -> EndedPeriod | None:
    """The period that has ended, if the spec has a later end than the recorded one, or none."""
    observed = cron.status.observed_schedule
    recorded = observed.end_time if observed else None
    end, wanted = epoch_or_none(recorded), epoch_or_none(cron.spec.end_time)
    if recorded is None or end is None or end >= now or (wanted is not None and wanted <= end):
        return None
    return EndedPeriod(int(end), recorded, int(end) + (cron.spec.jitter_seconds or 0))
