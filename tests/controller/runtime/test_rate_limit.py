import pytest

from controller.runtime.rate_limit import RateLimiter, interval


def test_after_the_burst_reservations_are_spaced_by_the_rate():
    limiter = RateLimiter(rate=2, burst=2)
    assert [limiter.reserve(100.0) for _ in range(4)] == [100.0, 100.0, 100.5, 101.0]


def test_idle_time_refills_at_most_one_burst():
    limiter = RateLimiter(rate=2, burst=2)
    limiter.reserve(100.0)
    assert [limiter.reserve(1000.0) for _ in range(3)] == [1000.0, 1000.0, 1000.5]


def test_high_latency_spaces_reservations_up_to_a_limit():
    limiter = RateLimiter(rate=10, burst=1)
    limiter.reserve(100.0)
    for _ in range(100):
        limiter.record_latency(0.25)
    assert limiter.reserve(100.0) == pytest.approx(100.25, abs=0.01)
    for _ in range(100):
        limiter.record_latency(60.0)
    assert limiter.reserve(100.25) == pytest.approx(100.75, abs=0.01)
    for _ in range(100):
        limiter.record_latency(0.01)
    assert limiter.reserve(100.75) == pytest.approx(100.85, abs=0.01)


def test_the_longest_pause_can_be_chosen():
    limiter = RateLimiter(rate=10, burst=1, longest_pause=3.0)
    limiter.reserve(100.0)
    for _ in range(100):
        limiter.record_latency(60.0)
    assert limiter.reserve(100.0) == pytest.approx(103.0, abs=0.01)


def test_allow_takes_a_reservation_only_if_one_is_free_now():
    limiter = RateLimiter(rate=1, burst=2)
    assert [limiter.allow(50.0) for _ in range(3)] == [True, True, False]
    assert [limiter.allow(51.0), limiter.allow(51.0)] == [True, False]


def test_large_flows_are_written_less_often():
    assert interval(5) < 1.02
    assert interval(1000) == 3.0


def test_a_clock_that_is_set_back_moves_the_reservations_back():
    """Found by a chaos run: no status was written until the clock had caught up."""
    limiter = RateLimiter(rate=2, burst=1)
    limiter.reserve(5000.0)
    assert [limiter.reserve(1000.0) for _ in range(2)] == [1000.5, 1001.0]
    assert limiter.allow(1010.0)
