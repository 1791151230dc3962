"""Due times, through clock changes, leap days and months of unequal length, compared with independent implementations."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from croniter import croniter
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from shared.cron import Expression, Timetable, parse, zone

DAY = 86_400


def moment(text: str, place: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone(place)).timestamp())


def local(due: int, place: str) -> str:
    return datetime.fromtimestamp(due, zone(place)).strftime("%m-%d %H:%M%z")


CLOCK_CHANGES = {
    "spring: a skipped time runs at the end of the gap": (
        "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00",
        ["03-29 03:00+0200", "03-30 02:30+0200"],
    ),
    "autumn: a repeated time runs once": (
        "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00",
        ["10-25 02:30+0200", "10-26 02:30+0100"],
    ),
    "autumn in New York: a repeated time runs once": (
        "30 1 * * *", "America/New_York", "2026-10-31T12:00",
        ["11-01 01:30-0400", "11-02 01:30-0500"],
    ),
    "spring in New York: a skipped time runs at the end of the gap": (
        "30 2 * * *", "America/New_York", "2026-03-07T12:00",
        ["03-08 03:00-0400", "03-09 02:30-0400"],
    ),
    "several skipped times run once": (
        "0,15,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00",
        ["03-29 03:00+0200", "03-30 02:00+0200"],
    ),
    "a skipped time and the time at the end of the gap run once": (
        "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00",
        ["03-29 03:00+0200", "03-30 02:00+0200", "03-30 03:00+0200"],
    ),
    "any hour: a skipped time does not run": (
        "30 * * * *", "Europe/Berlin", "2026-03-29T00:45",
        ["03-29 01:30+0100", "03-29 03:30+0200"],
    ),
    "any hour: a repeated time runs twice": (
        "30 * * * *", "Europe/Berlin", "2026-10-25T01:45",
        ["10-25 02:30+0200", "10-25 02:30+0100", "10-25 03:30+0100"],
    ),
    "half an hour is skipped on Lord Howe Island": (
        "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00",
        ["10-04 02:30+1100", "10-05 02:15+1100"],
    ),
    "half an hour is repeated on Lord Howe Island": (
        "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00",
        ["04-05 01:45+1100", "04-06 01:45+1030"],
    ),
    "a gap over midnight": (
        "30 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00",
        ["11-04 01:00-0200", "11-05 00:30-0200"],
    ),
    "a day that a zone skips whole has no due times": (
        "0 12 * * *", "Pacific/Apia", "2011-12-28T13:00",
        ["12-29 12:00-1000", "12-31 12:00+1400"],
    ),
    "any minute continues right after the skipped day": (
        "59 23 * * *", "Pacific/Apia", "2011-12-28T13:00",
        ["12-28 23:59-1000", "12-29 23:59-1000", "12-31 23:59+1400"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "start", "due"), CLOCK_CHANGES.values(), ids=CLOCK_CHANGES.keys())
def test_due_times_through_a_clock_change(text: str, place: str, start: str, due: list[str]) -> None:
    table = Timetable((parse(text),), place)

    assert [local(each, place) for each in table.next(moment(start, place), len(due))] == due


ALONE = {"a day that a zone skips whole has no due times", "any minute continues right after the skipped day"}
"""cronsim and croniter make up for the skipped day at its end. robfig/cron 3.0.1, which Volcano uses, has none then, as here [tried]."""


@pytest.mark.parametrize("case", CLOCK_CHANGES)
def test_another_implementation_agrees_about_the_clock_change(case: str) -> None:
    text, place, start, due = CLOCK_CHANGES[case]
    begin = datetime.fromtimestamp(moment(start, place), zone(place))
    by_cronsim = [local(int(each.timestamp()), place) for each in islice(CronSim(text, begin), len(due))]
    rival = croniter(text, begin, ret_type=float)
    by_croniter = [local(int(rival.get_next()), place) for _ in due]

    assert (due in (by_cronsim, by_croniter)) is (case not in ALONE)


CALENDAR = {
    "the 31st, only where there is one": ("0 0 31 * *", ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]),
    "leap days": ("0 0 29 2 *", ["2028-02-29", "2032-02-29"]),
    "Friday or the 13th": ("0 0 13 2 5", ["2026-02-06", "2026-02-13", "2026-02-20", "2026-02-27", "2027-02-05"]),
    "odd days or Mondays": ("0 0 */2 1 1", ["2026-01-03", "2026-01-05", "2026-01-07"]),
    "the first of the year": ("@yearly", ["2027-01-01", "2028-01-01"]),
}


@pytest.mark.parametrize(("text", "due"), CALENDAR.values(), ids=CALENDAR.keys())
def test_due_dates(text: str, due: list[str]) -> None:
    table = Timetable((parse(text),))

    found = table.next(moment("2026-01-01T00:00"), len(due))

    assert [datetime.fromtimestamp(each, UTC).date().isoformat() for each in found] == due


@pytest.mark.parametrize(("text", "due"), CALENDAR.values(), ids=CALENDAR.keys())
def test_croniter_agrees_about_the_dates(text: str, due: list[str]) -> None:
    rival = croniter("0 0 1 1 *" if text == "@yearly" else text, moment("2026-01-01T00:00"), ret_type=float)

    assert [datetime.fromtimestamp(rival.get_next(), UTC).date().isoformat() for _ in due] == due


def test_the_leap_day_after_eight_years_without_one_is_found() -> None:
    (due,) = Timetable((parse("0 0 29 2 *"),)).next(moment("2096-03-01T00:00"))

    assert due == moment("2104-02-29T00:00")


def test_an_interval_counts_from_its_anchor() -> None:
    table = Timetable((parse("@every 90m"),), anchor=1000)

    assert table.next(1000, 2) == [6400, 11_800]
    assert table.next(6400) == [11_800]
    assert table.count(1000, 11_800) == 2
    assert table.next(0) == [6400]


def test_two_schedules_in_one_minute_are_due_once() -> None:
    table = Timetable((parse("0 * * * *"), parse("*/30 * * * *")))

    assert table.next(0, 3) == [1800, 3600, 5400]


FIELDS = (
    st.sampled_from(["*", "*/7", "0", "30", "5,45", "10-20", "3/25"]),
    st.sampled_from(["*", "*/5", "0", "2", "1,3", "1-4", "23"]),
    st.sampled_from(["*", "1", "29", "31", "*/2", "10-12"]),
    st.sampled_from(["*", "2", "3,10", "*/5", "jan-mar", "nov"]),
    st.sampled_from(["*", "0", "mon-fri", "5", "1,6"]),
)
EXPRESSIONS = (
    st.tuples(*FIELDS).map(" ".join).filter(lambda text: not re.search(r" 31 (2|nov) ", text))
)  # never due: refused
STARTS = st.integers(moment("2005-01-01T00:00"), moment("2040-01-01T00:00"))
PLACES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/Sao_Paulo",
        "Asia/Kolkata",
    ]
)


@given(EXPRESSIONS, STARTS)
def test_due_times_in_utc_are_those_of_croniter(text: str, start: int) -> None:
    parsed = parse(text)
    assert isinstance(parsed, Expression)
    theirs = croniter(text, start, ret_type=float, day_or=not parsed.both_days, max_years_between_matches=40)

    assert Timetable((parsed,)).next(start, 5) == [int(theirs.get_next()) for _ in range(5)]


@given(EXPRESSIONS, STARTS, PLACES)
def test_due_times_through_clock_changes_are_those_of_cronsim(text: str, start: int, place: str) -> None:
    """Without texts that cronsim reads differently: it combines `*/2` with the other day field by AND, for example."""
    minute, hour, day, _, weekday = text.split()
    if (day.startswith("*/") and weekday != "*") or minute.startswith("*") or (hour != "*" and hour.startswith("*")):
        return
    begin = datetime.fromtimestamp(start, zone(place)).replace(second=0)
    if any(begin.date() <= each <= begin.date() + timedelta(days=4000) for each in SKIPPED.get(place, ())):
        return
    ours = Timetable((parse(text),), place).next(int(begin.timestamp()), 5)
    theirs = [int(each.timestamp()) for each in islice(CronSim(text, begin), 5)]

    assert ours == theirs


SKIPPED = {"Pacific/Apia": [datetime(2011, 12, 30).date()]}


@given(EXPRESSIONS, STARTS, PLACES, st.integers(0, 400 * DAY))
def test_counting_agrees_with_walking(text: str, start: int, place: str, length: int) -> None:
    if text.startswith(("* *", "*/7 *")):
        length %= 3 * DAY
    table = Timetable((parse(text),), place)
    walked = list(table.between(start, start + length))

    assert table.count(start, start + length) == len(walked)
    assert table.newest(start, start + length, 3) == walked[-3:]


@given(EXPRESSIONS, STARTS, PLACES)
def test_due_times_rise_and_match_the_wall_clock_where_it_is_steady(text: str, start: int, place: str) -> None:
    parsed = parse(text)
    assert isinstance(parsed, Expression)
    found = Timetable((parsed,), place).next(start, 10)

    assert found == sorted(set(found))
    assert all(each > start and each % 60 == 0 for each in found)
    for each in found:
        wall = datetime.fromtimestamp(each, zone(place))
        if wall.utcoffset() == datetime.fromtimestamp(each - DAY, zone(place)).utcoffset():
            assert wall.minute in parsed.minutes
            assert wall.hour in parsed.hours
            assert parsed.due_on(wall.month, wall.day, wall.isoweekday() % 7)


def test_counting_the_minutes_of_a_year_is_fast() -> None:
    year = moment("2027-01-01T00:00") - moment("2026-01-01T00:00")

    assert (
        Timetable((parse("* * * * *"),), "Europe/Berlin").count(
            moment("2026-01-01T00:00") - 60, moment("2026-01-01T00:00") - 60 + year
        )
        == year // 60
    )
