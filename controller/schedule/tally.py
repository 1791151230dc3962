"""What a decision of a schedule adds to the metrics: how late runs start, and which times pass without a run. Pure."""

from collections.abc import Mapping

import msgspec

from controller.decision import Decision
from controller.schedule.due_times import lateness
from controller.schedule.observed import SchedulePlan, ScheduleSeen


class ScheduleTally(msgspec.Struct, frozen=True):
    """To be counted once the decision is carried out.

    `lags`: for each started run the seconds since it could have started; `missed`: times that passed without a run;
    `skipped`: times passed over on purpose, by cause.
    """

    lags: tuple[int, ...] = ()
    missed: int = 0
    skipped: Mapping[str, int] = {}


class ScheduleDecision(Decision, frozen=True):
    """A Decision with what it adds to the metrics."""

    tally: ScheduleTally = ScheduleTally()


def tally_of(seen: ScheduleSeen, plan: SchedulePlan, now: int) -> ScheduleTally:
    """`seen`: what the plan was made from at `now`, seconds since 1970."""
    before, after = seen.state, plan.state
    return ScheduleTally(
        lags=tuple(max(0, lateness(seen, due, now)) for due in plan.started),
        missed=after.missed - before.missed,
        skipped={
            "suspended": after.skipped_suspended - before.skipped_suspended,
            "forbidden": after.skipped_forbidden - before.skipped_forbidden,
            "condition": after.skipped_condition - before.skipped_condition,
        },
    )
