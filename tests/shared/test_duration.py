import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import duration
from shared.timestamp import epoch, epoch_or_none, rfc3339

READS = {
    "seconds": ("10s", 10.0),
    "several units": ("1h30m5.5s", 5405.5),
    "milliseconds": ("300ms", 0.3),
    "microseconds, both letters": ("1us1µs", 2e-6),
    "zero needs no unit": ("0", 0.0),
    "a fraction without digits before it": (".5m", 30.0),
    "negative": ("-2m", -120.0),
    "hundreds of hours": ("300h", 1_080_000.0),
}


@pytest.mark.parametrize(("text", "want"), READS.values(), ids=READS.keys())
def test_a_go_duration_is_read(text: str, want: float) -> None:
    assert duration.seconds(text) == pytest.approx(want)


@pytest.mark.parametrize("text", ["", "5", "1d", "s", "1.s.", "1 s", "ten", "9999999999h", "1s-1s", "1s" * 500])
def test_durations_that_go_refuses_are_refused(text: str) -> None:
    with pytest.raises(duration.DurationError, match="invalid duration"):
        duration.seconds(text)


WRITES = {0.0: "0s", 0.25: "250ms", 1.5: "1.5s", 10.0: "10s", 60.0: "1m0s", 3605.0: "1h0m5s", -90.0: "-1m30s"}


@pytest.mark.parametrize(("value", "want"), WRITES.items())
def test_a_duration_is_written_as_go_prints_it(value: float, want: str) -> None:
    assert duration.text(value) == want


@given(st.integers(-(10**12), 10**12))
def test_a_written_duration_reads_back(millis: int) -> None:
    assert duration.seconds(duration.text(millis / 1000)) == pytest.approx(millis / 1000)


def test_an_invalid_duration_gives_the_fallback() -> None:
    assert duration.seconds_or("soon", 7.0) == 7.0
    assert duration.seconds_or(None, 7.0) == 7.0
    assert duration.seconds_or("3s", 7.0) == 3.0


def test_a_time_survives_writing_and_reading() -> None:
    assert rfc3339(epoch("2026-01-02T03:04:05Z")) == "2026-01-02T03:04:05Z"
    assert epoch("2026-01-02T03:04:05.500000+00:00") == epoch("2026-01-02T03:04:05Z") + 0.5
    assert epoch_or_none(None) is None
    assert epoch_or_none("yesterday") is None
