"""Cron expressions are read by the rules of robfig/cron v3."""

import pytest

from shared.cron import CronError, Expression, Interval, parse

ACCEPTED = {
    "every minute": ("* * * * *", 60, 24, 31, 12, 7),
    "a question mark means any": ("0 0 ? * ?", 1, 1, 31, 12, 7),
    "a step over all": ("*/15 * * * *", 4, 24, 31, 12, 7),
    "a step from a start": ("5/20 * * * *", 3, 24, 31, 12, 7),
    "a step over a range": ("0-30/10 * * * *", 4, 24, 31, 12, 7),
    "a list with a range": ("0 1,5-7 * * *", 1, 4, 31, 12, 7),
    "names in any case": ("0 0 * jan-MAR Mon-Fri", 1, 1, 31, 3, 5),
    "a step longer than the range": ("0/70 * * * *", 1, 24, 31, 12, 7),
    "empty entries of a list are passed over": ("1,,2 * * * *", 2, 24, 31, 12, 7),
    "spaces around and between": ("  0   0  *  * * ", 1, 1, 31, 12, 7),
    "a macro": ("@weekly", 1, 1, 31, 12, 1),
}


@pytest.mark.parametrize(
    ("text", "minutes", "hours", "days", "months", "weekdays"), ACCEPTED.values(), ids=ACCEPTED.keys()
)
def test_an_expression_is_read_as_sets_of_numbers(
    text: str, minutes: int, hours: int, days: int, months: int, weekdays: int
) -> None:
    parsed = parse(text)

    assert isinstance(parsed, Expression)
    sizes = [len(each) for each in (parsed.minutes, parsed.hours, parsed.days, parsed.months, parsed.weekdays)]
    assert sizes == [minutes, hours, days, months, weekdays]


REFUSED = {
    "too few fields": ("0 0 * *", "4 fields, but 5 are expected"),
    "seconds": ("0 0 0 * * *", "seconds and years are not supported"),
    "nothing": ("", "0 fields"),
    "a minute too large": ("60 * * * *", 'minute "60": 60 is not in 0 to 59'),
    "Sunday as seven": ("0 0 * * 7", "Sunday is 0"),
    "day zero": ("0 0 0 * *", "0 is not in 1 to 31"),
    "a range from high to low": ("0 5-3 * * *", "the range begins after its end"),
    "a step of zero": ("*/0 * * * *", "the step must be at least 1"),
    "last day of the month": ("0 0 L * *", '"L" is not a number'),
    "the second Monday": ("0 0 * * 1#2", '"1#2" is not a number'),
    "a negative number": ("-5 * * * *", "is not a number"),
    "a step without a number": ("*/x * * * *", '"x" is not a number'),
    "two steps": ("1/2/3 * * * *", '"2/3" is not a number'),
    "an unknown macro": ("@fortnightly", "@every DURATION"),
    "a macro in capitals": ("@DAILY", "unknown macro"),
    "a zone in the schedule": ("TZ=UTC 0 0 * * *", "use timeZone"),
    "another zone in the schedule": ("CRON_TZ=UTC 0 0 * * *", "use timeZone"),
    "30 February": ("0 0 30 2 *", "never due"),
    "an interval without a unit": ("@every 5", "needs a duration"),
    "an interval below a minute": ("@every 30s", "shorter than the minimum"),
    "digits of another script": ("٣ * * * *", "is not a number"),
    "an unknown name": ("0 0 * foo *", "or jan to dec"),
    "a huge text": ("0," * 500 + "0 * * * *", "longer than"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_expression_is_refused_with_the_part_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(CronError) as fault:
        parse(text)

    assert message in str(fault.value)


def test_an_interval_is_read_in_whole_seconds() -> None:
    assert parse("@every 1h30m") == Interval(5400)


DAY_RULE = {
    "both fields restricted: either is enough": ("0 0 13 * 5", False),
    "the day of the month is free": ("0 0 * * 5", True),
    "the weekday is free": ("0 0 13 * *", True),
    "a step of two over all days is a restriction": ("0 0 */2 * 1", False),
    "a step of one over all days is none": ("0 0 */1 * 1", True),
}


@pytest.mark.parametrize(("text", "both"), DAY_RULE.values(), ids=DAY_RULE.keys())
def test_the_day_fields_are_combined_as_robfig_combines_them(text: str, both: bool) -> None:
    parsed = parse(text)

    assert isinstance(parsed, Expression)
    assert parsed.both_days is both
