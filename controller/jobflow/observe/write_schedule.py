"""Limits on what the JobFlow controller writes: when a status may be written next, and which Events are left out.

Thousands of flows that change together must not flood the API server. Jobs are created without such a limit.
"""

from typing import Final

import msgspec

from controller.decision import Decision
from controller.jobflow.observe.flow_cache import CachedFlow
from controller.jobflow.status.event_messages import ROUTINE_STEP_EVENTS
from controller.runtime.rate_limit import BURST, EVENT_BURST, EVENT_RATE, FOLLOW_UP_DELAY, RATE, RateLimiter, interval

NEVER: Final = 0.0


class WriteSchedule:
    """Shared by all flows of the controller."""

    def __init__(self) -> None:
        self._limiter = RateLimiter(RATE, BURST)
        self._events = RateLimiter(EVENT_RATE, EVENT_BURST)

    def record_latency(self, seconds: float) -> None:
        """How long a write took."""
        self._limiter.record_latency(seconds)

    def write_after(self, known: CachedFlow, now: float) -> float:
        """Epoch seconds before which the status of `known` is not written unless it is urgent."""
        if max(known.wrote_at, known.asked) > now:  # the clock was set back: a reserved moment may be hours away
            known.wrote_at, known.reserved, known.deferred_since = min(known.wrote_at, now), NEVER, NEVER
        if not known.reserved:
            known.asked = now
            known.reserved = max(known.wrote_at + interval(len(known.plan.steps)), self._limiter.reserve(now))
        return known.reserved

    def settle_until(self, known: CachedFlow, now: float) -> float:
        """Epoch seconds until which a status waits for the change that usually follows it; 0 for a flow's first."""
        return (known.deferred_since or now) + FOLLOW_UP_DELAY if known.stored.state.phase else NEVER

    def limit_events(self, decision: Decision, now: float) -> Decision:
        """Leave out routine Events of steps when there are too many for anybody to read."""
        if not any(note.reason in ROUTINE_STEP_EVENTS for note in decision.notes) or self._events.allow(now):
            return decision
        notes = tuple(note for note in decision.notes if note.reason not in ROUTINE_STEP_EVENTS)
        return msgspec.structs.replace(decision, notes=notes)
