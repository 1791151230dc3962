import pytest

from controller.runtime.rate_limit import Pace, interval


def test_after_a_burst_places_come_one_by_one():
    pace = Pace(rate=2, burst=2)
    assert [pace.reserve(100.0) for _ in range(4)] == [100.0, 100.0, 100.5, 101.0]


def test_idle_time_fills_the_burst_and_no_more():
    pace = Pace(rate=2, burst=2)
    pace.reserve(100.0)
    assert [pace.reserve(1000.0) for _ in range(3)] == [1000.0, 1000.0, 1000.5]


def test_places_are_further_apart_while_work_is_slow_but_never_too_far():
    pace = Pace(rate=10, burst=1)
    pace.reserve(100.0)
    for _ in range(100):
        pace.took(0.25)
    assert pace.reserve(100.0) == pytest.approx(100.25, abs=0.01)
    for _ in range(100):
        pace.took(60.0)
    assert pace.reserve(100.25) == pytest.approx(100.75, abs=0.01)
    for _ in range(100):
        pace.took(0.01)
    assert pace.reserve(100.75) == pytest.approx(100.85, abs=0.01)


def test_a_place_is_taken_only_if_there_is_one():
    pace = Pace(rate=1, burst=2)
    assert [pace.take(50.0) for _ in range(3)] == [True, True, False]
    assert [pace.take(51.0), pace.take(51.0)] == [True, False]


def test_large_flows_are_reported_more_rarely():
    assert interval(5) < 1.02
    assert interval(1000) == 3.0


def test_a_clock_that_is_set_back_takes_the_places_with_it():
    """Seen in the fault runs: no flow was reported until the clock was where it had been."""
    pace = Pace(rate=2, burst=1)
    pace.reserve(5000.0)
    assert [pace.reserve(1000.0) for _ in range(2)] == [1000.5, 1001.0]
    assert pace.take(1010.0)
