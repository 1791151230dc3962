"""The clock of schedules in a demonstration cluster."""

from controller.decision import Refusal
from controller.schedule.clock import ScheduleClock
from controller.schedule.refusals import is_fresh
from shared.kinds import JOB

CREATED = 1_800_000_000.0


def test_real_time_is_not_touched() -> None:
    clock = ScheduleClock(CREATED)

    assert clock.shown(CREATED + 7.5) == CREATED + 7.5
    assert clock.real_wait(60) == 60
    assert clock.real_wait(None) is None


def test_a_faster_clock_begins_when_the_schedule_is_created() -> None:
    clock = ScheduleClock(CREATED, 100)

    assert clock.shown(CREATED) == CREATED
    assert clock.shown(CREATED - 1) == CREATED
    assert clock.shown(CREATED + 6) == CREATED + 600
    assert clock.real_wait(60) == 0.6
    assert clock.real_wait(0) == 0.05


def test_a_refusal_ages_in_real_time() -> None:
    clock, now = ScheduleClock(CREATED, 100), CREATED + 50
    child = (JOB, "nightly-1")
    (young,) = clock.shown_refusals({child: Refusal(422, "no", now - 14)}, now).values()
    (old,) = clock.shown_refusals({child: Refusal(422, "no", now - 16)}, now).values()

    assert [is_fresh(each, clock.shown(now)) for each in (young, old)] == [True, False]
