"""Reads cron expressions by the rules of robfig/cron v3, which Kubernetes' CronJob and Volcano's CronJob use.

Five fields (minute, hour, day of month, month, day of week), the macros `@yearly`, `@annually`, `@monthly`, `@weekly`,
`@daily`, `@midnight`, `@hourly`, and `@every DURATION`. A day is due when both day fields match, if one of them is `*` or
`?`; else when either matches. Seconds, `L`, `W` and `#` are not part of this grammar.
"""

import re
from typing import Final

import msgspec

from shared import duration

MIN_INTERVAL: Final = 60  # names of children carry the minute, so two due times in one minute would collide
_MAX_LENGTH: Final = 512  # characters
_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS_OF_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class CronError(ValueError):
    """The text is no cron expression. The message says which part is wrong and what is allowed."""


class Interval(msgspec.Struct, frozen=True):
    """`@every DURATION`: due every `seconds` after an anchor that the user of the interval chooses."""

    seconds: int


class Expression(msgspec.Struct, frozen=True):
    """A cron expression as sets of numbers. Days of the week: 0 is Sunday.

    `any_hour`: the hour field contains `*` or `?`. `both_days`: a day must match both day fields, not just one.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_hour: bool
    both_days: bool

    def due_on(self, month: int, day: int, weekday: int) -> bool:
        """Whether a date has due times. `weekday`: 0 is Sunday."""
        if month not in self.months:
            return False
        in_month, in_week = day in self.days, weekday in self.weekdays
        return (in_month and in_week) if self.both_days else (in_month or in_week)


class _Field(msgspec.Struct, frozen=True):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()  # names[i] stands for low + i
    hint: str = ""


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    _Field("day of week", 0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"), "; Sunday is 0"),
)
_FORM: Final = "minute hour day-of-month month day-of-week"


def parse(text: str) -> Expression | Interval:
    """The schedule that `text` describes. Raises CronError."""
    if len(text) > _MAX_LENGTH:
        raise CronError(f"longer than {_MAX_LENGTH} characters")
    if re.match(r"\s*(CRON_)?TZ=", text):
        raise CronError("a schedule must not contain a time zone; use timeZone")
    stripped = text.strip()
    if stripped.startswith("@every "):
        return _interval(stripped.removeprefix("@every ").strip())
    if stripped.startswith("@"):
        return _macro(stripped)
    return _expression(stripped)


def _interval(text: str) -> Interval:
    try:
        seconds = duration.seconds(text)
    except duration.DurationError:
        raise CronError(f'@every needs a duration such as "90m" or "1h30m", not "{text}"') from None
    if seconds < MIN_INTERVAL:
        raise CronError(f"@every {text} is shorter than the minimum of {MIN_INTERVAL}s")
    return Interval(int(seconds))


def _macro(text: str) -> Expression:
    if text not in _MACROS:
        raise CronError(f'unknown macro "{text}"; known: {", ".join(_MACROS)}, @every DURATION')
    return _expression(_MACROS[text])


def _expression(text: str) -> Expression:
    parts = text.split()
    if len(parts) == 6:
        raise CronError(f"6 fields, but 5 are expected ({_FORM}); seconds and years are not supported")
    if len(parts) != 5:
        raise CronError(f"{len(parts)} fields, but 5 are expected ({_FORM})")
    (minutes, _), (hours, any_hour), (days, any_day), (months, _), (weekdays, any_weekday) = (
        _read(part, field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    parsed = Expression(minutes, hours, days, months, weekdays, any_hour, any_day or any_weekday)
    if parsed.both_days and not any(day <= _DAYS_OF_MONTH[month - 1] for day in days for month in months):
        raise CronError("never due: none of these months has such a day")
    return parsed


def _read(text: str, field: _Field) -> tuple[frozenset[int], bool]:
    """The numbers that one field allows, and whether it counts as `*`."""
    ranges = [_range(part, field) for part in text.split(",") if part]
    if not ranges:
        raise CronError(f'{field.name} "{text}" is empty')
    return frozenset().union(*(numbers for numbers, _ in ranges)), any(star for _, star in ranges)


def _range(text: str, field: _Field) -> tuple[range, bool]:
    bounds, slash, step_text = text.partition("/")
    step = _number(step_text, text, field) if slash else 1
    if step == 0:
        raise CronError(f'{field.name} "{text}": the step must be at least 1')
    if bounds in ("*", "?"):
        return range(field.low, field.high + 1, step), step == 1
    low_text, hyphen, high_text = bounds.partition("-")
    low = _value(low_text, text, field)
    high = _value(high_text, text, field) if hyphen else field.high if slash else low
    if low > high:
        raise CronError(f'{field.name} "{text}": the range begins after its end')
    return range(low, high + 1, step), False


def _value(text: str, whole: str, field: _Field) -> int:
    if text.lower() in field.names:
        return field.low + field.names.index(text.lower())
    value = _number(text, whole, field)
    if not field.low <= value <= field.high:
        raise CronError(f'{field.name} "{whole}": {value} is not in {field.low} to {field.high}{field.hint}')
    return value


def _number(text: str, whole: str, field: _Field) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return int(text)
    names = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
    raise CronError(
        f'{field.name} "{whole}": "{text}" is not a number from {field.low} to {field.high}{names}; '
        "allowed: *, N, N-M, lists with commas, steps with /"
    )
