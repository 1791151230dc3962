"""Limits on what the JobFlow controller writes: when a status may be written next, and which Events are left out.

Thousands of flows that change together must not flood the API server. Jobs are created without such a limit.
"""

from typing import Final

import msgspec

from controller.decision import Decision
from controller.jobflow.observe.flow_cache import CachedFlow
from controller.jobflow.status.event_messages import ROUTINE_STEP_EVENTS
from controller.runtime.rate_limit import (
    BURST,
    EVENT_BURST,
    EVENT_RATE,
    FIRST_DELAY,
    FOLLOW_UP_DELAY,
    MAX_STALENESS,
    RATE,
    RateLimiter,
    interval,
)

NEVER: Final = 0.0
LEAST_PAUSE: Final = 0.5  # seconds for which a change may wait to be reported, however long a write takes...
LONGEST_PAUSE: Final = 2.0  # ...and at most
CREATE_SECONDS: Final = 0.5  # a pass creates as many Jobs as the API server took in this time recently...
FEWEST_JOBS: Final = 8
MOST_JOBS: Final = 500
FIRST_GUESS: Final = CREATE_SECONDS / 50  # seconds for a Job, before any was created
COUNTED: Final = 4  # passes that create fewer Jobs say little about the time that one takes


class WriteSchedule:
    """Shared by all flows of the controller."""

    def __init__(self) -> None:
        self._limiter = RateLimiter(RATE, BURST)
        self._events = RateLimiter(EVENT_RATE, EVENT_BURST)
        self._seconds_a_job = FIRST_GUESS

    def record_latency(self, seconds: float, created: int) -> None:
        """How long it took to carry out a decision, and how many Jobs that created; 0 if it did more than that."""
        self._limiter.record_latency(seconds)
        if created >= COUNTED:
            self._seconds_a_job += (max(seconds, 0.0) / created - self._seconds_a_job) / 2

    def most_jobs(self, known: CachedFlow, now: float) -> int:
        """How many Jobs the pass that begins `now` may create, so that it ends soon: statuses are written between passes,
        and at the end of one. A status that is due does not wait for many creations."""
        if known.deferred_since and now >= self._latest(known, now):
            return FEWEST_JOBS
        return int(min(max(CREATE_SECONDS / max(self._seconds_a_job, 1e-6), FEWEST_JOBS), MOST_JOBS))

    def write_after(self, known: CachedFlow, now: float) -> float:
        """Epoch seconds before which the status of `known` is not written unless it is urgent."""
        if max(known.wrote_at, known.asked) > now:  # the clock was set back: a reserved moment may be hours away
            known.wrote_at, known.reserved, known.deferred_since = min(known.wrote_at, now), NEVER, NEVER
        if not known.reserved:
            known.asked = now
            reserved = max(known.wrote_at + interval(len(known.plan.steps)), self._limiter.reserve(now))
            known.reserved = reserved if known.stored.state.phase else now
        return min(known.reserved, self._latest(known, now))

    def settle_until(self, known: CachedFlow, now: float) -> float:
        """Epoch seconds until which a status waits for the change that usually follows it."""
        if known.stored.state.phase:
            return min((known.deferred_since or now) + FOLLOW_UP_DELAY, self._latest(known, now))
        return NEVER if self._limiter.is_slow else (known.deferred_since or now) + FIRST_DELAY

    def _latest(self, known: CachedFlow, now: float) -> float:
        """Epoch seconds at which the write that reports a change must begin at the latest.

        It takes its time, and what changed during the last one was not part of it.
        """
        allowed = MAX_STALENESS - CREATE_SECONDS - 2 * known.report_seconds
        return (known.deferred_since or now) + min(max(allowed, LEAST_PAUSE), LONGEST_PAUSE)

    def limit_events(self, decision: Decision, now: float) -> Decision:
        """Leave out routine Events of steps when there are too many for anybody to read."""
        if not any(note.reason in ROUTINE_STEP_EVENTS for note in decision.notes) or self._events.allow(now):
            return decision
        notes = tuple(note for note in decision.notes if note.reason not in ROUTINE_STEP_EVENTS)
        return msgspec.structs.replace(decision, notes=notes)
