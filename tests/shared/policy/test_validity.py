"""When policies are in force."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model.policy import TimeWindow, Validity
from shared.policy.compiled.validity import compile_validity
from shared.timestamp import epoch_or_none, rfc3339


def window(schedule: str, duration: str, zone: str | None = None) -> TimeWindow:
    return TimeWindow(schedule=schedule, duration=duration, time_zone=zone)


def at(text: str) -> float:
    moment = epoch_or_none(text)
    assert moment is not None
    return moment


WEEKEND = Validity(windows=(window("0 18 * * FRI", "62h"),))
FREEZE = Validity(from_="2026-12-20T00:00:00Z", until="2027-01-02T00:00:00Z")
NIGHTS = Validity(windows=(window("0 22 * * *", "8h", "Europe/Berlin"),))
TWO = Validity(windows=(window("0 6 * * *", "1h"), window("30 6 * * *", "1h")))
HOURLY = Validity(windows=(window("0 9-11 * * *", "1h"),))
MONTH_END = Validity(from_="2026-12-31T23:30:00Z", until=None, windows=(window("0 22 31 * *", "4h"),))

# validity, now, until when it is in force
CASES: dict[str, tuple[Validity, str, str | None]] = {
    "before a freeze": (FREEZE, "2026-12-19T23:59:59Z", None),
    "from its first moment": (FREEZE, "2026-12-20T00:00:00Z", "2027-01-02T00:00:00Z"),
    "at its end": (FREEZE, "2027-01-02T00:00:00Z", None),
    "before a weekend": (WEEKEND, "2026-11-27T17:59:59Z", None),
    "a weekend begins": (WEEKEND, "2026-11-27T18:00:00Z", "2026-11-30T08:00:00Z"),
    "on Sunday": (WEEKEND, "2026-11-29T12:00:00Z", "2026-11-30T08:00:00Z"),
    "a weekend's last second": (WEEKEND, "2026-11-30T07:59:59Z", "2026-11-30T08:00:00Z"),
    "after a weekend": (WEEKEND, "2026-11-30T08:00:00Z", None),
    "a night in winter": (NIGHTS, "2026-12-01T21:00:00Z", "2026-12-02T05:00:00Z"),
    "a night in summer": (NIGHTS, "2026-07-01T20:00:00Z", "2026-07-02T04:00:00Z"),
    "by day": (NIGHTS, "2026-07-01T19:59:00Z", None),
    "the later of two windows": (TWO, "2026-07-01T06:45:00Z", "2026-07-01T07:30:00Z"),
    "windows that follow one another": (HOURLY, "2026-07-01T09:30:00Z", "2026-07-01T12:00:00Z"),
    "a window that has begun before `from`": (MONTH_END, "2026-12-31T23:00:00Z", None),
    "the rest of that window": (MONTH_END, "2027-01-01T01:00:00Z", "2027-01-01T02:00:00Z"),
}


@pytest.mark.parametrize(("validity", "now", "until"), CASES.values(), ids=CASES)
def test_a_policy_is_in_force_within_its_times(validity: Validity, now: str, until: str | None) -> None:
    found = compile_validity(validity).until(at(now))
    assert (rfc3339(found) if found is not None else None) == until


def test_a_policy_without_validity_is_always_in_force() -> None:
    assert compile_validity(None).until(0.0) == math.inf


@settings(deadline=None)
@given(
    minute=st.integers(0, 59),
    step=st.sampled_from((1, 2, 6, 24)),
    length=st.integers(1, 200),
    now=st.floats(1_780_000_000, 1_780_400_000),
)
def test_a_window_covers_what_its_starts_and_its_length_say(minute: int, step: int, length: int, now: float) -> None:
    hours = "*" if step == 1 else f"*/{step}"
    made = compile_validity(Validity(windows=(window(f"{minute} {hours} * * *", f"{length}m"),)))
    starts = [
        hour * 3600 + minute * 60
        for hour in range(int(now) // 3600 - 300, int(now) // 3600 + 2)
        if (hour % 24) % step == 0
    ]
    inside = any(start <= now < start + length * 60 for start in starts)
    end = made.until(now)
    assert (end is not None) is inside
    assert end is None or end > now
