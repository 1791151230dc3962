"""`validity`: when a policy is in force. The time is an argument; nothing here reads a clock."""

import math
from typing import Final

import msgspec

from shared import duration
from shared.cron import Interval, Timetable, parse
from shared.model.policy import TimeWindow, Validity
from shared.timestamp import epoch_or_none

_JOINED: Final = 1000  # overlapping windows that are joined to find their end


class Windows(msgspec.Struct, frozen=True):
    """Spans of `seconds` from each due time of a schedule on, without their last moment."""

    due: Timetable
    seconds: int

    def end(self, now: float) -> float | None:
        """When the window around `now` ends, or the last one of those that overlap; None outside of windows."""
        known = self.due.next(math.floor(now) - self.seconds, 1)
        if not known or known[0] > now:
            return None
        end = known[0] + self.seconds
        for due in self.due.next(known[0], _JOINED):
            if due > end:
                break
            end = due + self.seconds
        return float(end)


class CompiledValidity(msgspec.Struct, frozen=True):
    """`start`, `end`: epoch seconds. `windows`: it is in force within any of them, or always if there are none."""

    start: float = -math.inf
    end: float = math.inf
    windows: tuple[Windows, ...] = ()

    def until(self, now: float) -> float | None:
        """Until when the policy is in force at `now`, infinite for ever; None if it is not in force."""
        if not self.start <= now < self.end:
            return None
        if not self.windows:
            return self.end
        ends = [end for window in self.windows if (end := window.end(now)) is not None]
        return min(max(ends), self.end) if ends else None


ALWAYS: Final = CompiledValidity()


def compile_validity(given: Validity | None) -> CompiledValidity:
    """The compiled form of a validity without faults."""
    if given is None:
        return ALWAYS
    start, end = epoch_or_none(given.from_), epoch_or_none(given.until)
    return CompiledValidity(
        -math.inf if start is None else start,
        math.inf if end is None else end,
        tuple(_windows(window) for window in given.windows),
    )


def _windows(window: TimeWindow) -> Windows:
    schedule = parse(window.schedule)
    assert not isinstance(schedule, Interval)  # check_validity refuses it
    return Windows(Timetable((schedule,), window.time_zone or ""), int(duration.seconds(window.duration)))
