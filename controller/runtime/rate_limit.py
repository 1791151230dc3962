"""Limits how often status and events are written that people read and no controller waits for.

The API server is shared with writes that must not wait. The status of one flow is written at most once per interval,
and a step that ends is reported together with the start of the next one. With many active flows each of them is
written a little later. When the API server is slow, these writes become rarer still. But people must be able to rely on
what they read, so the first status of a flow waits for a moment at most, and no status for longer than MAX_STALENESS.
"""

from typing import Final

INTERVAL: Final = 1.0  # seconds between two status writes of one flow
FIRST_DELAY: Final = 0.2  # seconds that the first status of a flow waits: a flow that ends sooner is written once
FOLLOW_UP_DELAY: Final = 2.0  # seconds that a status write waits for a change that is expected soon: a new Job will run
MAX_STALENESS: Final = 3.0  # seconds from a change to the end of the write that reports it
STEPS_PER_INTERVAL: Final = 500  # every so many steps lengthen the interval by INTERVAL
RATE: Final = 15.0  # status writes a second, over all flows
BURST: Final = 10
LATENCY_FACTOR: Final = 1.0  # the least time between two status writes, as a multiple of the recent latency...
MAX_LATENCY_PAUSE: Final = 0.5  # ...but never more than so many seconds
SLOW: Final = 0.05  # seconds; while the latency is higher, the first status of a flow does not wait
LATENCY_WEIGHT: Final = 0.1  # weight of the newest sample in the moving average of the latency
TEMPLATE_RATE: Final = 2.0  # lists of Jobs a second, over all templates
TEMPLATE_BURST: Final = 5
MAX_TEMPLATE_PAUSE: Final = 3.0  # as MAX_LATENCY_PAUSE: nothing waits for these lists
EVENT_RATE: Final = 2.0  # events of steps a second, over all flows
EVENT_BURST: Final = 40


def interval(steps: int) -> float:
    """Seconds between two status writes of a flow with so many steps: large status is written less often."""
    return INTERVAL * (1 + steps / STEPS_PER_INTERVAL)


class RateLimiter:
    """`rate` reservations a second after a first `burst`, fewer while latency is high: at least one in `longest_pause`
    seconds. All times are of one clock.
    """

    def __init__(self, rate: float, burst: int, longest_pause: float = MAX_LATENCY_PAUSE) -> None:
        self._step = 1.0 / rate
        self._longest_pause = longest_pause
        self._burst_seconds = burst * self._step
        self._next = 0.0
        self._last_now = 0.0
        self._latency = 0.0

    def reserve(self, now: float) -> float:
        """The time from which the caller may go ahead. The next caller gets a later one."""
        self._follow_clock(now)
        pause = min(self._latency * LATENCY_FACTOR, self._longest_pause)
        self._next = max(self._next, now - self._burst_seconds) + max(self._step, pause)
        return max(now, self._next)

    def allow(self, now: float) -> bool:
        """Whether the caller may go ahead right now; if so, the reservation is taken."""
        self._follow_clock(now)
        if max(self._next, now - self._burst_seconds) + self._step > now:
            return False
        self.reserve(now)
        return True

    @property
    def is_slow(self) -> bool:
        """Whether the API server takes long at present."""
        return self._latency > SLOW

    def record_latency(self, seconds: float) -> None:
        """Add a sample: how long the API server took to carry out a decision."""
        self._latency += (seconds - self._latency) * LATENCY_WEIGHT

    def _follow_clock(self, now: float) -> None:
        """If the clock was set back, move the reservations back by as much: else nobody could go ahead for that time."""
        self._next += min(0.0, now - self._last_now)
        self._last_now = now
