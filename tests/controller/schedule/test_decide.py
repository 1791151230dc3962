"""The schedule engine: what starts, what waits, what is missed, skipped, replaced and deleted."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.schedule.decide import decide
from controller.schedule.due_times import jitter_of
from controller.schedule.observed import RunState, ScheduledRun, ScheduleState, WhenAnswer
from shared.cron import Timetable, parse
from shared.model.schedules.common import ConcurrencyPolicy
from shared.naming import scheduled_name
from tests.controller.schedule.make import START, UID, ScheduleCluster, minutes, rules, run, seen


def test_nothing_starts_before_the_first_due_time() -> None:
    plan = decide(seen(rules()), START + 599)

    assert plan.starts == ()
    assert plan.wake == START + 600
    assert plan.upcoming == minutes(10, 20, 30)


def test_a_due_time_starts_and_is_recorded() -> None:
    plan = decide(seen(rules()), START + 601)

    assert plan.starts == minutes(10)
    assert plan.state.last == START + 600
    assert plan.wake == START + 1200


def test_a_cron_job_makes_up_for_the_newest_missed_time_and_counts_the_others() -> None:
    plan = decide(seen(rules()), START + 3 * 3600 + 5)

    assert plan.starts == minutes(180)
    assert plan.state.missed == 17
    assert [event.message for event in plan.events] == [
        "17 due times passed without a run: only the newest time is made up for"
    ]


def test_a_year_of_missed_minutes_is_no_error() -> None:
    plan = decide(seen(rules("* * * * *")), START + 365 * 86_400)

    assert len(plan.starts) == 1
    assert plan.state.missed == 365 * 1440 - 1


def test_a_time_after_its_starting_deadline_is_missed_and_reported_once() -> None:
    first = decide(seen(rules(deadline=30)), START + 700)
    again = decide(msgspec.structs.replace(seen(rules(deadline=30)), state=first.state), START + 701)

    assert first.starts == ()
    assert "the starting deadline has passed" in first.events[0].message
    assert again.events == ()


def test_a_suspended_cron_job_keeps_its_times() -> None:
    suspended = decide(seen(rules(suspended=True)), START + 1900)
    resumed = decide(seen(rules(), considered=suspended.state.considered), START + 1900)

    assert suspended.starts == ()
    assert resumed.starts == minutes(30)


def test_a_suspended_cron_job_flow_skips_its_times() -> None:
    suspended = decide(seen(rules(suspended=True, keeps_backlog=True)), START + 1900)
    resumed = msgspec.structs.replace(seen(rules(keeps_backlog=True)), state=suspended.state)

    assert suspended.state.skipped_suspended == 3
    assert decide(resumed, START + 1901).starts == ()


def test_forbid_keeps_the_time_of_a_cron_job_until_the_active_job_has_ended() -> None:
    given = rules(policy=ConcurrencyPolicy.FORBID)
    busy = decide(seen(given, run(START + 600), considered=START + 600), START + 1201)
    free = decide(seen(given, run(START + 600, RunState.SUCCEEDED), considered=START + 600), START + 1500)

    assert busy.starts == ()
    assert free.starts == minutes(20)


def test_forbid_skips_the_time_of_a_cron_job_flow_for_good() -> None:
    given = rules(policy=ConcurrencyPolicy.FORBID, keeps_backlog=True)
    plan = decide(seen(given, run(START + 600), considered=START + 600), START + 1201)

    assert plan.starts == ()
    assert plan.state.skipped_forbidden == 1
    assert plan.state.backlog == ()
    assert plan.events[0].reason == "RunForbidden"


def test_replace_deletes_the_active_run_and_starts_only_when_it_is_gone() -> None:
    given = rules(policy=ConcurrencyPolicy.REPLACE)
    old = run(START + 600)
    first = decide(seen(given, old, considered=START + 600), START + 1201)
    terminating = msgspec.structs.replace(old, deleting=True)
    second = decide(seen(given, terminating, considered=START + 600), START + 1202)
    third = decide(seen(given, considered=START + 600), START + 1203)

    assert (first.replaced, first.starts) == ((old,), ())
    assert (second.replaced, second.starts) == ((), ())
    assert third.starts == minutes(20)


def test_catch_up_takes_the_newest_missed_times_oldest_first() -> None:
    plan = decide(seen(rules(keeps_backlog=True, catch_up=3)), START + 3600 + 5 * 60)

    assert plan.starts == minutes(40, 50, 60)
    assert plan.state.missed == 3


def test_catch_up_one_by_one_under_forbid_remembers_the_rest() -> None:
    given = rules(keeps_backlog=True, catch_up=3, policy=ConcurrencyPolicy.FORBID, newest_first=True)
    first = decide(seen(given), START + 3600 + 5 * 60)
    ended = run(START + 3600, RunState.SUCCEEDED)
    second = decide(msgspec.structs.replace(seen(given, ended), state=first.state), START + 3600 + 6 * 60)

    assert first.starts == minutes(60)
    assert first.state.backlog == minutes(40, 50)
    assert second.starts == minutes(50)


def test_without_catch_up_a_missed_time_does_not_start_but_one_on_time_does() -> None:
    given = rules(keeps_backlog=True, catch_up=0)

    assert decide(seen(given), START + 600 + 5 * 60).starts == ()
    assert decide(seen(given), START + 600 + 5).starts == minutes(10)


def test_a_condition_that_is_false_skips_the_time() -> None:
    given = rules(keeps_backlog=True, when=lambda due, previous, last: WhenAnswer(False))
    plan = decide(seen(given), START + 601)

    assert plan.starts == ()
    assert plan.state.skipped_condition == 1
    assert plan.state.backlog == ()


def test_the_condition_sees_the_last_run_that_ended() -> None:
    asked: list[tuple[int, int | None, ScheduledRun | None]] = []

    def when(due: int, previous: int | None, last: ScheduledRun | None) -> WhenAnswer:
        asked.append((due, previous, last))
        return WhenAnswer(True)

    failed = run(START + 600, RunState.FAILED)
    decide(seen(rules(keeps_backlog=True, when=when), failed, considered=START + 600, last=START + 600), START + 1201)

    assert asked == [(START + 1200, START + 600, failed)]


def test_jitter_delays_the_start_and_is_neither_missed_nor_late() -> None:
    given = rules(keeps_backlog=True, catch_up=0, jitter=300, deadline=10)
    delay = jitter_of(UID, START + 600, 300)

    assert delay > 0
    assert decide(seen(given), START + 600 + delay - 1).starts == ()
    assert decide(seen(given), START + 600 + delay).starts == minutes(10)
    assert decide(seen(given), START + 601).wake == START + 600 + delay


def test_no_time_is_due_after_the_end() -> None:
    given = rules(keeps_backlog=True, catch_up=100, end=START + 1200)
    plan = decide(seen(given), START + 7200)

    assert plan.starts == minutes(10, 20)
    assert (plan.wake, plan.upcoming) == (None, ())


def test_history_keeps_the_newest_of_each_outcome_and_never_an_active_run() -> None:
    good = [run(START + 60 * each, RunState.SUCCEEDED) for each in range(1, 6)]
    bad = [run(START + 60 * each, RunState.FAILED) for each in range(6, 9)]
    plan = decide(seen(rules(), *good, *bad, run(START + 540), considered=START + 540), START + 590)

    assert {each.due for each in plan.pruned} == {*minutes(1, 2), *minutes(6, 7)}


def test_a_run_is_not_pruned_before_its_start_is_recorded() -> None:
    plan = decide(seen(rules("0 0 1 1 *", successful_limit=0), run(START + 600, RunState.SUCCEEDED)), START + 700)

    assert plan.pruned == ()


def test_a_time_whose_child_exists_counts_as_started() -> None:
    plan = decide(seen(rules(policy=ConcurrencyPolicy.FORBID), run(START + 600)), START + 601)

    assert plan.starts == ()
    assert plan.state.last == START + 600


def test_a_refused_time_is_not_started_again_at_once_and_not_forgotten() -> None:
    child = scheduled_name("nightly", START + 600)
    observed = msgspec.structs.replace(seen(rules(keeps_backlog=True)), name="nightly", refused=frozenset({child}))
    plan = decide(observed, START + 601)
    again = decide(msgspec.structs.replace(observed, state=plan.state, refused=frozenset()), START + 620)

    assert (plan.starts, plan.state.last) == ((), None)
    assert again.starts == minutes(10)


LONG = "n" * 60


@pytest.mark.parametrize("name", ["nightly", LONG], ids=["a short name", "a name whose children are hashed"])
def test_a_refused_time_within_a_minute_is_identified_by_its_child(name: str) -> None:
    """An interval counts from its anchor, so its times may have any second."""
    timetable = Timetable((parse("@every 1m"),), "", START + 41)
    child = scheduled_name(name, START + 101)
    observed = seen(msgspec.structs.replace(rules(keeps_backlog=True), timetable=timetable))
    plan = decide(msgspec.structs.replace(observed, name=name, refused=frozenset({child})), START + 102)

    assert plan.starts == ()
    assert plan.state.backlog == (START + 101,)


POLICIES = st.sampled_from(ConcurrencyPolicy)
STEPS = st.lists(
    st.tuples(
        st.integers(-900, 3000),  # seconds by which the clock moves
        st.integers(0, 8),  # writes before the process is killed; 8: it is not
        st.booleans(),  # another leader decides on what the first one has seen
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(POLICIES, STEPS, st.booleans(), st.integers(0, 5), st.integers(30, 2000), st.integers(0, 400))
def test_no_time_starts_twice_and_runs_overlap_only_if_allowed(
    policy: ConcurrencyPolicy,
    steps: list[tuple[int, int, bool]],
    backlog: bool,
    catch_up: int,
    length: int,
    jitter: int,
) -> None:
    given = rules(policy=policy, keeps_backlog=backlog, catch_up=catch_up, jitter=jitter)
    cluster = ScheduleCluster(given, ScheduleState(considered=START), length)
    now = START
    for moved, writes, rival in steps:
        now = max(START, now + moved)
        plan = cluster.plan(now)
        cluster.carry_out(plan, now, 100 if writes == 8 else writes)
        if rival:
            cluster.carry_out(cluster.plan(now), now, 100)

    assert max(Counter(cluster.created).values(), default=1) == 1
    if policy is not ConcurrencyPolicy.ALLOW:
        assert cluster.overlaps == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 8)), min_size=3, max_size=40), st.integers(0, 300))
def test_every_time_starts_exactly_once_where_all_are_made_up_for(steps: list[tuple[int, int]], jitter: int) -> None:
    given = rules(keeps_backlog=True, catch_up=100, jitter=jitter)
    cluster = ScheduleCluster(given, ScheduleState(considered=START), 60)
    now = START
    for moved, writes in steps:
        now += moved
        cluster.carry_out(cluster.plan(now), now, 1000 if writes == 8 else writes)
        if now - cluster.state.considered > 100 * 600:  # more times than can be made up for
            return
    cluster.carry_out(cluster.plan(now + jitter), now + jitter, 1000)

    wanted = list(given.timetable.between(START, now))
    assert sorted(cluster.created)[: len(wanted)] == wanted
    assert cluster.state.missed == 0
