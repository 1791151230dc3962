"""The times at which schedules are due, in a time zone, through changes of its clock.

An expression with fixed hours is due once for each local time that it names: a local time that a clock change skips is
due at the end of the gap, a local time that occurs twice is due at the first. An expression for any hour (`*` in the hour
field) follows the wall clock: skipped times are not due, repeated times are due twice. A date that a zone skips whole
(Pacific/Apia, 2011-12-30) has no due times.

Cost: a search walks over dates, of which only those with a clock change need work for each time.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import groupby, islice
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from shared.cron.grammar import Expression, Interval
from shared.cron.zones import zone

HORIZON_DAYS: Final = (
    366 * 12
)  # 29 February is at most eight years away, and no expression requires a weekday and a day of month at once
_ONE_DAY: Final = timedelta(days=1)
_DAY_SECONDS: Final = 86_400
_MINUTE: Final = 60
_LAST: Final = date(9990, 1, 1)


class Timetable(msgspec.Struct, frozen=True):
    """Several schedules as one: due when any of them is, once where two of them are due in the same minute.

    `anchor` (seconds since 1970): the moment from which intervals (`@every`) are counted; it is not itself due.
    """

    schedules: tuple[Expression | Interval, ...]
    time_zone: str = ""
    anchor: int = 0

    def after(self, moment: int) -> Iterator[int]:
        """All due times later than `moment`, in order; ends where nothing is due for twelve years."""
        streams = [self._stream(each, moment) for each in self.schedules]
        return (next(same) for _, same in groupby(merge(*streams), key=lambda due: due // _MINUTE))

    def next(self, moment: int, count: int = 1) -> list[int]:
        """The first `count` due times later than `moment`; fewer where there are no more."""
        return list(islice(self.after(moment), count))

    def between(self, start: int, end: int) -> Iterator[int]:
        """The due times later than `start`, up to and including `end`, in order."""
        for due in self.after(start):
            if due > end:
                return
            yield due

    def count(self, start: int, end: int) -> int:
        """How many due times `between` would yield. Cheap for one expression; several are walked through."""
        if end <= start:
            return 0
        if len(self.schedules) == 1:
            only = self.schedules[0]
            if isinstance(only, Interval):
                return _beats(only, self.anchor, end) - _beats(only, self.anchor, start)
            return _count(only, zone(self.time_zone), start, end)
        return sum(1 for _ in self.between(start, end))

    def newest(self, start: int, end: int, count: int) -> list[int]:
        """The last `count` due times of `between(start, end)`, in order, without walking through all of them."""
        found: list[int] = []
        reach, floor = _DAY_SECONDS, start
        while count > 0:
            floor = max(start, end - reach)
            found = list(self.between(floor, end))
            if len(found) >= count or floor == start:
                break
            reach *= 4
        return found[max(0, len(found) - count) :] if count > 0 else []

    def _stream(self, schedule: Expression | Interval, moment: int) -> Iterator[int]:
        if isinstance(schedule, Interval):
            return _every(schedule, self.anchor, moment)
        return _after(schedule, zone(self.time_zone), moment)


def _beats(interval: Interval, anchor: int, moment: int) -> int:
    return max(0, (moment - anchor) // interval.seconds)


def _every(interval: Interval, anchor: int, moment: int) -> Iterator[int]:
    due = anchor + (_beats(interval, anchor, moment) + 1) * interval.seconds
    while True:
        yield due
        due += interval.seconds


def _after(expression: Expression, place: ZoneInfo, moment: int) -> Iterator[int]:
    # A due time can stand on the date after the one that names it, at the end of a gap over midnight.
    day = _local_date(moment, place) - _ONE_DAY
    newest, idle = moment, 0
    while idle < HORIZON_DAYS and day < _LAST:
        idle += 1
        for due in _due_on(expression, place, day):
            if due > newest:
                newest, idle = due, 0
                yield due
        day += _ONE_DAY


def _count(expression: Expression, place: ZoneInfo, start: int, end: int) -> int:
    """Counts without asking for the times of days that lie inside the range and have no clock change."""
    first, last = _local_date(start, place) - _ONE_DAY, _local_date(end, place) + _ONE_DAY
    a_day = len(expression.hours) * len(expression.minutes)
    total, newest, day = 0, start, first
    while day <= last:
        inside = _midnight(day, place) > newest + _DAY_SECONDS and _midnight(day + _ONE_DAY, place) <= end
        if inside and _steady(place, day) and _steady(place, day - _ONE_DAY):
            total += a_day if _is_due(expression, day) else 0
        else:
            times = [due for due in _due_on(expression, place, day) if newest < due <= end]
            total += len(times)
            newest = max(newest, *times) if times else newest
        day += _ONE_DAY
    return total


def _due_on(expression: Expression, place: ZoneInfo, day: date) -> Sequence[int]:
    """The due times that a date names, in order."""
    if not _is_due(expression, day) or not _exists(place, day):
        return ()
    if _steady(place, day):
        midnight = _midnight(day, place)
        return [midnight + 60 * each for each in _minutes_of_day(expression)]
    found: set[int] = set()
    for each in _minutes_of_day(expression):
        found.update(_moments(datetime.combine(day, time(each // 60, each % 60)), place, expression.any_hour))
    return sorted(found)


def _moments(local: datetime, place: ZoneInfo, any_hour: bool) -> Iterator[int]:
    first, second = (_epoch(local.replace(tzinfo=place, fold=fold)) for fold in (0, 1))
    if first == second:
        yield first
    elif first < second:  # occurs twice
        yield first
        if any_hour:
            yield second
    elif not any_hour:  # skipped
        yield _end_of_gap(second, first, place)


def _end_of_gap(before: int, after: int, place: ZoneInfo) -> int:
    """The moment of the one change of offset between two moments. Clock changes happen on whole minutes, or seconds."""
    moments = range(before, after + 1)
    offset = _offset(before, place)
    return moments[bisect_right(moments, 0, key=lambda moment: int(_offset(moment, place) != offset))]


@lru_cache(maxsize=256)
def _minutes_of_day(expression: Expression) -> tuple[int, ...]:
    return tuple(60 * hour + minute for hour in sorted(expression.hours) for minute in sorted(expression.minutes))


def _is_due(expression: Expression, day: date) -> bool:
    return expression.due_on(day.month, day.day, day.isoweekday() % 7)


@lru_cache(maxsize=4096)
def _steady(place: ZoneInfo, day: date) -> bool:
    """Whether the clock is not changed on that date, midnight to midnight."""
    return _midnight(day + _ONE_DAY, place) - _midnight(day, place) == _DAY_SECONDS and _offset(
        _midnight(day, place), place
    ) == _offset(_midnight(day + _ONE_DAY, place) - 1, place)


@lru_cache(maxsize=4096)
def _exists(place: ZoneInfo, day: date) -> bool:
    """Whether any moment of that date exists: its noon, or at least its first or last minute."""
    moments = (datetime.combine(day, each, place) for each in (time(0, 0), time(12, 0), time(23, 59)))
    return any(datetime.fromtimestamp(_epoch(each), place).date() == day for each in moments)


@lru_cache(maxsize=8192)
def _midnight(day: date, place: ZoneInfo) -> int:
    return _epoch(datetime.combine(day, time(), place))


def _local_date(moment: int, place: ZoneInfo) -> date:
    return datetime.fromtimestamp(moment, place).date()


def _offset(moment: int, place: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(moment, place).utcoffset()


def _epoch(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
