"""Both kinds of schedules through random edits, clock moves (before the creation too), crashes, two leaders and downtimes."""

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.cron import Timetable, parse
from shared.kinds import CRONJOB, CRONJOBFLOW, Kind
from shared.model.types import Body
from shared.timestamp import epoch, epoch_or_none, rfc3339
from tests.controller.schedule.store import ALL_WRITES, START, ScheduleStore

UNKNOWN = "Mars/Olympus"
EDITS = st.one_of(
    st.fixed_dictionaries(
        {
            "schedule": st.sampled_from(
                ["*/10 * * * *", "*/7 * * * *", "30 * * * *", "0 2 * * *;30 2 * * *", "@every 11m", "* * * * *"]
            )
        }
    ),
    st.fixed_dictionaries(
        {"timeZone": st.sampled_from([None, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", UNKNOWN])}
    ),
    st.fixed_dictionaries({"suspend": st.booleans()}),
    st.fixed_dictionaries({"concurrencyPolicy": st.sampled_from(["Allow", "Forbid", "Replace"])}),
    st.fixed_dictionaries({"startingDeadlineSeconds": st.sampled_from([None, 30, 600])}),
    st.fixed_dictionaries({"catchUp": st.sampled_from([{"limit": 0}, {"limit": 1}, {"limit": 5}, {"limit": 100}])}),
    st.fixed_dictionaries(
        {"endTime": st.sampled_from([None, *(rfc3339(START + each) for each in (900, 5400, 90_000))])}
    ),
)
STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(-4000, 4000), st.integers(1, 700), st.just(86_400)),  # seconds by which the clock moves
        st.one_of(st.none(), EDITS),
        st.integers(0, 8),  # writes before the process is killed; 8: it is not
        st.sampled_from(["alone", "alone", "rival", "late rival"]),
    ),
    min_size=4,
    max_size=40,
)
KINDS = pytest.mark.parametrize("kind", [CRONJOB, CRONJOBFLOW], ids=lambda kind: kind.kind)


@KINDS
@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([30, 400, 3000]))
def test_no_due_time_runs_twice_and_runs_overlap_only_where_allowed(
    kind: Kind, steps: list[tuple[int, Body | None, int, str]], length: int
) -> None:
    store, now = ScheduleStore(kind, length), START
    for moved, edit, writes, who in steps:
        now += moved
        store.progress(now)
        planned = store.decide(now)
        late = store.decide(now)  # another leader, which has seen the same
        if edit is not None:
            store.edit(edit)
        store.carry_out(planned, ALL_WRITES if writes == 8 else writes)
        if who == "late rival":
            store.carry_out(late)
        elif who == "rival":
            store.carry_out(store.decide(now))

    assert max(Counter(due // 60 for due in store.made).values(), default=1) == 1
    assert store.overlaps == 0


class Ledger:
    """Keeps, apart from the controller, which due times had to be decided: all that pass while a schedule is in force."""

    def __init__(self, store: ScheduleStore) -> None:
        self._store = store
        self._followed: tuple[object, object] | None = None
        self._since = self._until = START
        self._end: float | None = None  # as recorded
        self.passed: set[int] = set()

    def stored(self, now: int) -> None:
        """A pass at `now` has stored its status. Times before an edit of schedule or zone are not due, nor times
        between an end that has passed and the edit that removes it or moves it later.
        """
        spec = self._store.cron["spec"]
        schedule = (spec.get("schedules") or spec["schedule"], spec.get("timeZone") or "")
        if self._followed not in (None, schedule):
            self._since = now
            if self._store.kind is CRONJOBFLOW:  # `consideredUntil` covers times up to an edit, and moves only forward
                self._until = max(self._until, now)
        self._followed = schedule
        if spec.get("timeZone") == UNKNOWN:
            return
        floor, recorded, end = max(self._since, self._until), self._end, epoch_or_none(spec.get("endTime"))
        reopened = recorded is not None and recorded < now and (end is None or end > recorded)
        last = recorded if reopened else end
        anchor = START if self._store.kind is CRONJOB else self._since
        due = list(timetable(spec, anchor).between(floor, now if last is None else min(now, int(last))))
        self.passed.update(due)
        self._until = max([self._until, *due, *([now] if reopened else [])])
        self._end = end


EDITED_AFTER_THE_CLOCK_WAS_SET_BACK: list[tuple[int, Body | None, int, str]] = [
    (60, None, 8, ""),
    (780, {"schedule": "*/7 * * * *"}, 8, ""),  # at 00:14:00, which is decided: times up to an edit are not due
    (-1, {"timeZone": "Europe/Berlin"}, 8, ""),
]


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([30, 400, 3000]))
@example(EDITED_AFTER_THE_CLOCK_WAS_SET_BACK, 30)
def test_every_time_that_passes_is_started_or_counted_once(
    steps: list[tuple[int, Body | None, int, str]], length: int
) -> None:
    store, now = ScheduleStore(CRONJOBFLOW, length), START
    ledger = Ledger(store)
    for moved, edit, writes, _ in [*steps, (1, None, 8, "")]:
        now += moved
        store.progress(now)
        if edit is not None:
            store.edit(edit)
        if store.carry_out(store.decide(now), ALL_WRITES if writes == 8 else writes):
            ledger.stored(now)
            status = store.status
            counted = status.get("missedTotal", 0) + sum(status.get("skipped", {}).values())
            waiting = [int(epoch(each)) for each in status.get("backlog", ())]
            assert len(store.made) + len(waiting) + counted == len(ledger.passed.union(store.made)), status


def test_a_decided_time_stays_decided_when_the_clock_is_set_back_and_the_schedule_is_edited_again() -> None:
    store, now = ScheduleStore(CRONJOBFLOW, 30), START
    for moved, edit, _, _ in [*EDITED_AFTER_THE_CLOCK_WAS_SET_BACK, (1, None, 8, "")]:
        now += moved
        if edit is not None:
            store.edit(edit)
        store.carry_out(store.decide(now))

    assert (store.made, store.status["consideredUntil"]) == ([], "2026-03-28T00:14:00Z")
    store.carry_out(store.decide(now + 7 * 60))
    assert store.made == [START + 21 * 60]


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([30, 400, 3000]))
def test_a_cron_job_has_started_its_newest_time_after_each_whole_pass(
    steps: list[tuple[int, Body | None, int, str]], length: int
) -> None:
    store, now = ScheduleStore(CRONJOB, length), START
    ledger = Ledger(store)
    for moved, edit, writes, _ in steps:
        now += moved
        store.progress(now)
        if edit is not None and "startingDeadlineSeconds" not in edit:
            store.edit(edit)
        before = set(ledger.passed)
        if store.carry_out(store.decide(now), ALL_WRITES if writes == 8 else writes):
            ledger.stored(now)
            spec = store.cron["spec"]
            new = ledger.passed - before
            if new and not spec.get("suspend") and spec.get("concurrencyPolicy", "Allow") == "Allow":
                assert max(store.made) >= max(new)  # a later one where the clock was set back


def timetable(spec: Body, anchor: int) -> Timetable:
    texts = spec.get("schedules") or [spec["schedule"]]
    return Timetable(tuple(map(parse, texts)), spec.get("timeZone") or "", anchor)
