"""Which times of a schedule are due now: jitter, end and starting deadline applied. Pure.

Jitter moves the start of a run, not its due time: a run is due for start `jitter_of` seconds after its time, and neither
lateness nor the starting deadline counts that delay.
"""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from controller.schedule.observed import ScheduleRules, ScheduleSeen

ON_TIME_SECONDS: Final = 60  # a run that starts within this time of its due time has not been missed
FORECAST: Final = 3


class DueTimes(msgspec.Struct, frozen=True):
    """Due times since the last decision. `newest`: the last of them, oldest first; `total`: how many there are in all.

    `until`: the newest of them, or None.
    """

    newest: tuple[int, ...] = ()
    total: int = 0

    @property
    def until(self) -> int | None:
        return self.newest[-1] if self.newest else None


def jitter_of(uid: str, due: int, jitter: int) -> int:
    """Seconds by which the start for `due` is delayed: 0 to `jitter`, always the same for the same schedule and time."""
    if jitter <= 0:
        return 0
    digest = hashlib.sha256(f"{uid}/{due}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (jitter + 1)


def due_times(seen: ScheduleSeen, now: int, most: int) -> DueTimes:
    """The times later than `state.considered` that are due for start at `now`; the newest `most` of them by name.

    A time waits for the ones before it, so that later times with less jitter do not overtake.
    """
    rules, start = seen.rules, seen.state.considered
    end = now if rules.end is None else min(now, rules.end)
    certain = max(start, min(end, now - rules.jitter))
    total = rules.timetable.count(start, certain)
    newest = rules.timetable.newest(start, certain, most)
    for due in rules.timetable.between(certain, end):
        if due + jitter_of(seen.uid, due, rules.jitter) > now:
            break
        newest.append(due)
        total += 1
    return DueTimes(tuple(newest[-most:]) if most else (), total)


def lateness(seen: ScheduleSeen, due: int, now: int) -> int:
    """Seconds since the start for `due` was possible."""
    return now - due - jitter_of(seen.uid, due, seen.rules.jitter)


def in_deadline(seen: ScheduleSeen, due: int, now: int) -> bool:
    """Whether the run for `due` may still start."""
    return seen.rules.deadline is None or lateness(seen, due, now) <= seen.rules.deadline


def upcoming(rules: ScheduleRules, moment: int, count: int = FORECAST) -> tuple[int, ...]:
    """The next due times after `moment`."""
    return tuple(islice(_until_end(rules, moment), count))


def next_start(seen: ScheduleSeen, considered: int) -> int | None:
    """When the first time later than `considered` is due for start, or None when no more times come."""
    due = next(_until_end(seen.rules, considered), None)
    return None if due is None else due + jitter_of(seen.uid, due, seen.rules.jitter)


def _until_end(rules: ScheduleRules, moment: int) -> Iterator[int]:
    for due in rules.timetable.after(moment):
        if rules.end is not None and due > rules.end:
            return
        yield due
