"""Conditions of schedules, in the form that kstatus and `kubectl wait` read. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from controller.schedule.observed import ScheduleRules
from shared.model.schedules.common import Condition

READY: Final = "Ready"
_LONGEST: Final = 1024


def conditions(
    before: Sequence[Condition], generation: int, rules: ScheduleRules, refused: Sequence[str], now: str
) -> tuple[Condition, ...]:
    """One condition, Ready: the schedule is followed. `refused`: why children could not be created. `now`: RFC 3339."""
    wanted = _ready(rules, refused, generation)
    old = next((each for each in before if each.type == READY), None)
    changed = old is None or old.status != wanted.status or not old.last_transition_time
    since = now if old is None or changed else old.last_transition_time
    return (msgspec.structs.replace(wanted, last_transition_time=since),)


def _ready(rules: ScheduleRules, refused: Sequence[str], generation: int) -> Condition:
    if rules.problem:
        status, reason, message = "False", "InvalidSchedule", rules.problem
    elif refused:
        status, reason, message = "False", "FailedCreate", refused[0]
    elif rules.suspended:
        status, reason, message = "True", "Suspended", "the schedule is suspended"
    else:
        status, reason, message = "True", "Scheduled", "the schedule is followed"
    return Condition(
        type=READY, status=status, reason=reason, message=message[:_LONGEST], observed_generation=generation
    )
