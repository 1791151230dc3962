"""Decides what a schedule does now: `decide(seen, now) -> SchedulePlan`. Pure; one engine for CronJob and CronJobFlow.

Each due time starts at most once: children have names that follow from the due time, a time counts as started as soon as
its child exists, and `considered` moves only forward. The state is stored after the children have been created; a crash
in between leads to the same decision again, which finds them.
"""

from collections.abc import Sequence

import msgspec

from controller.schedule.due_times import ON_TIME_SECONDS, due_times, in_deadline, lateness, next_start, upcoming
from controller.schedule.history import pruned
from controller.schedule.observed import (
    RunState,
    ScheduledRun,
    ScheduleEvent,
    SchedulePlan,
    ScheduleSeen,
    ScheduleState,
)
from shared.model.schedules.common import ConcurrencyPolicy
from shared.naming import scheduled_name
from shared.timestamp import rfc3339


def decide(seen: ScheduleSeen, now: int) -> SchedulePlan:
    """What to do at `now`, in seconds since 1970."""
    stored = seen.state.considered
    state = _with_results(seen)
    seen = msgspec.structs.replace(seen, state=state)
    if seen.rules.problem:
        return SchedulePlan(state, pruned=pruned(seen, stored))
    draft = _Draft(seen, now, stored)
    if seen.rules.keeps_backlog:
        draft.decide_new_times()
    else:
        draft.find_newest_time()
    draft.start()
    return draft.plan()


def _with_results(seen: ScheduleSeen) -> ScheduleState:
    """The state with what ended runs say: the newest success, and the newest run that ended."""
    state = seen.state
    ended = [run for run in seen.runs if run.state is not RunState.ACTIVE]
    successes = [run.completed for run in ended if run.state is RunState.SUCCEEDED and run.completed is not None]
    newest = max(ended, key=lambda run: (run.completed or 0, run.due), default=None)
    before = state.last_run
    if newest is not None and (before is None or (before.completed or 0) <= (newest.completed or 0)):
        state = msgspec.structs.replace(state, last_run=newest)
    if successes:
        state = msgspec.structs.replace(state, last_success=max(*successes, state.last_success or 0))
    if seen.runs and not seen.rules.keeps_backlog:
        newest_due = max(run.due for run in seen.runs)
        last, considered = max(newest_due, state.last or 0), max(newest_due, state.considered)
        state = msgspec.structs.replace(state, last=last or None, considered=considered)
    return state


class _Draft:
    """One decision in the making."""

    def __init__(self, seen: ScheduleSeen, now: int, stored: int) -> None:
        self.seen = seen
        self.stored = stored  # `considered` as it is stored
        self.now = now
        self.state = seen.state
        self.waiting: list[int] = []  # times to start, in order
        self.starts: list[int] = []
        self.replaced: tuple[ScheduledRun, ...] = ()
        self.events: list[ScheduleEvent] = []
        self.existing = {run.due for run in seen.runs}
        self._forbidden = 0  # new times that the policy Forbid skips
        self.again = False  # another pass is needed as soon as the state is stored
        self._overtaken = 0  # older times that are missed once the waiting one has started

    # --- which times -------------------------------------------------------------------------------------------------

    def find_newest_time(self) -> None:
        """CronJob: the newest time within the deadline; the others are missed. Nothing while suspended."""
        if self.seen.rules.suspended:
            return
        due = due_times(self.seen, self.now, 1)
        if due.until is None:
            return
        if not in_deadline(self.seen, due.until, self.now):
            # Nothing can start for these times any more: forget them, or they would be counted again and again.
            self._set(considered=due.until)
            self._missed(due.total, "the starting deadline has passed")
            return
        self.waiting = [due.until]
        self._overtaken = due.total - 1

    def decide_new_times(self) -> None:
        """CronJobFlow: each new time is started, put into the backlog, missed or skipped, and recorded so."""
        rules, state = self.seen.rules, self.state
        limit = 1 if rules.policy is ConcurrencyPolicy.REPLACE else rules.catch_up
        due = due_times(self.seen, self.now, max(limit, 1))
        made = [time for time in state.backlog if time in self.existing]
        new = self._unrecorded(due.until)
        open_before = [time for time in state.backlog if time not in self.existing]
        backlog = [time for time in open_before if in_deadline(self.seen, time, self.now)]
        expired, total = len(open_before) - len(backlog), due.total - len(new)
        if rules.suspended:
            self._set(backlog=tuple(backlog), skipped_suspended=state.skipped_suspended + total)
            self._missed(expired, "the starting deadline has passed")
        else:
            kept = [time for time in self._kept(due.newest, limit) if time not in self.existing]
            times = sorted({*backlog, *kept})
            if rules.policy is ConcurrencyPolicy.REPLACE:
                times = times[-1:]  # an older run would be replaced at once
            overtaken = len(backlog) + len(kept) - len(times)
            self._set(backlog=tuple(times))
            missed = total - len(kept) - self._forbidden + overtaken + expired
            self._missed(missed, "more times passed than are made up for")
        if due.until is not None:
            self._set(considered=due.until)
        waiting = sorted(self.state.backlog, reverse=rules.newest_first) if not rules.suspended else []
        self.waiting = [*sorted({*made, *new}), *waiting]

    def _unrecorded(self, until: int | None) -> list[int]:
        """The new due times whose child exists: a process that was killed created them. They are started, whatever has
        been edited since.
        """
        held = sorted(time for time in self.existing if self.state.considered < time <= (until or 0))
        return [time for time in held if self.seen.rules.timetable.next(time - 1) == [time]]

    def _kept(self, newest: Sequence[int], limit: int) -> list[int]:
        """Of the newest new times those to start: within the deadline, on time or among the missed ones to make up for."""
        rules = self.seen.rules
        times = [time for time in newest if in_deadline(self.seen, time, self.now)]
        on_time = bool(times) and lateness(self.seen, times[-1], self.now) <= ON_TIME_SECONDS
        kept = times[-max(limit, 1 if on_time else 0) :] if limit or on_time else []
        busy = [run for run in self.seen.active if run.due not in kept]
        waits = on_time and bool(kept) and kept[-1] not in self.existing
        if waits and rules.policy is ConcurrencyPolicy.FORBID and (busy or self.state.backlog):
            self._forbidden = 1
            self._set(skipped_forbidden=self.state.skipped_forbidden + 1)
            self._tell("RunForbidden", f"the run for {_time(kept[-1])} is skipped: {_names(busy)} has not ended")
            kept.pop()
        return kept

    # --- starting ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the waiting times as far as the concurrency policy lets them."""
        policy = self.seen.rules.policy
        for time in self.waiting:
            if not self._condition_holds(time):
                self._done(time)
                continue
            others = [run for run in self.seen.active if run.due != time]
            if time not in self.existing:
                if policy is ConcurrencyPolicy.FORBID and (others or set(self.starts) - self.existing):
                    return
                if policy is ConcurrencyPolicy.REPLACE and others:
                    # A start is recorded before the run is deleted, so that its time cannot start twice.
                    recorded = [run for run in others if run.due <= self.stored]
                    self.replaced = tuple(run for run in recorded if not run.deleting)
                    self.again = len(recorded) < len(others)
                    return
            if scheduled_name(self.seen.name, time) in self.seen.refused:
                continue
            self.starts.append(time)
            self._missed(self._overtaken, "only the newest time is made up for")
            self._done(time)

    def _condition_holds(self, time: int) -> bool:
        when = self.seen.rules.when
        if when is None or time in self.existing:
            return True
        answer = when(time, self.state.last, self.state.last_run)
        if not answer.holds:
            self._set(skipped_condition=self.state.skipped_condition + 1)
            self._tell("RunSkipped", f"the run for {_time(time)} is skipped: {answer.problem or '`when` is false'}")
        return answer.holds

    def _done(self, time: int) -> None:
        started = time in self.starts
        last = max(time, self.state.last or 0) if started else self.state.last
        backlog = tuple(each for each in self.state.backlog if each != time)
        self._set(last=last, backlog=backlog, considered=max(self.state.considered, time))

    # --- the result --------------------------------------------------------------------------------------------------

    def plan(self) -> SchedulePlan:
        return SchedulePlan(
            state=self.state,
            starts=tuple(time for time in self.starts if time not in self.existing),
            started=tuple(self.starts),
            replaced=self.replaced,
            pruned=pruned(self.seen, self.stored),
            events=tuple(self.events),
            upcoming=()
            if self.seen.rules.suspended
            else upcoming(self.seen.rules, max(self.now, self.state.considered)),
            wake=self._wake(),
        )

    def _wake(self) -> int | None:
        """The next due time; a waiting time waits for a change of the active runs, or for its deadline."""
        if self.again:
            return self.now + 1
        moments = [next_start(self.seen, max(self.state.considered, *self.waiting, 0))]
        if self.seen.rules.deadline is not None:
            moments += [time + self.seen.rules.jitter + self.seen.rules.deadline + 1 for time in self.state.backlog]
        return min((max(moment, self.now + 1) for moment in moments if moment is not None), default=None)

    def _missed(self, count: int, why: str) -> None:
        if count <= 0:
            return
        self._set(missed=self.state.missed + count)
        times = "1 due time" if count == 1 else f"{count} due times"
        self._tell("MissedSchedule", f"{times} passed without a run: {why}", warning=True)

    def _tell(self, reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append(ScheduleEvent(reason, message, warning))

    def _set(self, **changes: object) -> None:
        self.state = msgspec.structs.replace(self.state, **changes)


def _time(moment: int) -> str:
    return rfc3339(moment)


def _names(runs: Sequence[ScheduledRun]) -> str:
    return ", ".join(run.name for run in runs[:3]) or "an earlier run"
