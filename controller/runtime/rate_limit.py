"""How often things are written that people read and nothing waits for: progress in status, events of steps.

The API server is shared with everything that must not wait. A flow alone is reported at most once a second, and a step that
ends together with the start of the next; of many flows in motion at the same moment each is reported a little later.
"""

from typing import Final

INTERVAL: Final = 1.0  # seconds between two reports of one flow
SETTLE: Final = 2.0  # seconds that a report waits for what is about to follow it: a Job just made will soon run
STEPS_PER_INTERVAL: Final = 500  # a report of so many steps more may take so much longer to come
RATE: Final = 15.0  # reports a second, over all flows
BURST: Final = 10
WORK_PER_REPORT: Final = 1.0  # times what work takes of late, the least between two reports...
SLOWEST: Final = 0.5  # ...but never more than so many seconds
RECENT: Final = 0.1  # weight of the last one
TEMPLATE_RATE: Final = 4.0  # lists of Jobs a second, over all templates
EVENT_RATE: Final = 2.0  # events of steps a second, over all flows
EVENT_BURST: Final = 40


def interval(steps: int) -> float:
    """Seconds between two reports of a flow of so many steps: large reports are rarer."""
    return INTERVAL * (1 + steps / STEPS_PER_INTERVAL)


class Pace:
    """Places in time, so many a second after a first burst, fewer while work is slow. Times are seconds on one clock."""

    def __init__(self, rate: float, burst: int) -> None:
        self._step = 1.0 / rate
        self._slack = burst * self._step
        self._next = 0.0
        self._asked = 0.0
        self._work = 0.0

    def reserve(self, now: float) -> float:
        """The moment from which the caller may go ahead; the next caller's is later."""
        self._follow(now)
        slow = min(self._work * WORK_PER_REPORT, SLOWEST)
        self._next = max(self._next, now - self._slack) + max(self._step, slow)
        return max(now, self._next)

    def took(self, seconds: float) -> None:
        """So long it took to carry out a decision: an API server that is slow has more urgent things to do than reports."""
        self._work += (seconds - self._work) * RECENT

    def take(self, now: float) -> bool:
        """Whether there is a place right now; it is taken then."""
        self._follow(now)
        if max(self._next, now - self._slack) + self._step > now:
            return False
        self.reserve(now)
        return True

    def _follow(self, now: float) -> None:
        """A clock that was set back takes the places with it: else nobody would have one until it is there again."""
        self._next += min(0.0, now - self._asked)
        self._asked = now
