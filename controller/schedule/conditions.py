"""Conditions of schedules, in the form that kstatus and `kubectl wait` read. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from controller.schedule.observed import ScheduleRules
from shared.model.schedules.common import Condition

READY: Final = "Ready"
STALLED: Final = "Stalled"
_LONGEST: Final = 1024


def conditions(
    before: Sequence[Condition], generation: int, rules: ScheduleRules, refused: Sequence[str], now: str
) -> tuple[Condition, ...]:
    """Ready: the schedule is followed; and Stalled where nothing but an edit of it helps, which kstatus reads as failed.

    `refused`: why children could not be created; `now`: RFC 3339.
    """
    ready = _ready(rules, refused)
    wanted = (ready, stalled(ready)) if rules.problem and rules.needs_edit else (ready,)
    return dated(wanted, before, generation, now)


def stalled(ready: Condition) -> Condition:
    """The condition Stalled for the reason why an object is not ready."""
    return msgspec.structs.replace(ready, type=STALLED, status="True")


def dated(wanted: Sequence[Condition], before: Sequence[Condition], generation: int, now: str) -> tuple[Condition, ...]:
    """The conditions with the generation, and with the time at which the status of each last changed."""
    return tuple(
        msgspec.structs.replace(
            each,
            message=each.message[:_LONGEST],
            observed_generation=generation,
            last_transition_time=_since(each, before, now),
        )
        for each in wanted
    )


def _since(wanted: Condition, before: Sequence[Condition], now: str) -> str:
    old = next((each for each in before if each.type == wanted.type), None)
    return now if old is None or old.status != wanted.status else old.last_transition_time or now


def _ready(rules: ScheduleRules, refused: Sequence[str]) -> Condition:
    if rules.problem:
        status, reason, message = "False", "InvalidSchedule", rules.problem
    elif refused:
        status, reason, message = "False", "FailedCreate", refused[0]
    elif rules.suspended:
        status, reason, message = "True", "Suspended", "the schedule is suspended"
    else:
        status, reason, message = "True", "Scheduled", "the schedule is followed"
    return Condition(type=READY, status=status, reason=reason, message=message)
