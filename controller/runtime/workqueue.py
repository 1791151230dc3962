"""The work queue, after client-go's: one entry a key, one worker a key, delays, back-off per key.

`Agenda` is the rule book, without a clock or a loop; `WorkQueue` adds both.
"""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from controller import metrics
from shared.key import Key

BACKOFF_BASE: Final = 0.005
BACKOFF_CAP: Final = 1000.0
FAIR_SHARE: Final = 8  # one background key after so many urgent ones


class Agenda:
    """Which key is next. Times are seconds on any one clock.

    A key is wanted at most once. A key in work that is added again comes back when its work is done. Background keys
    (first listing, periodic scans) yield to urgent ones, but get every ninth turn.
    """

    def __init__(self) -> None:
        self._wanted: dict[Key, bool] = {}  # key -> urgent; waiting in a line, or to come back after its work
        self._working: set[Key] = set()
        self._urgent: deque[Key] = deque()
        self._background: deque[Key] = deque()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._streak = 0

    def add(self, key: Key, *, urgent: bool = True) -> bool:
        """Whether the key was not wanted yet."""
        known = self._wanted.get(key)
        if known is not None and (known or not urgent):
            return False
        self._wanted[key] = urgent
        if key not in self._working:
            (self._urgent if urgent else self._background).append(key)
        return known is None

    def add_at(self, key: Key, at: float) -> None:
        """Add it at time `at`, or earlier if an earlier time was asked for."""
        due = self._due.get(key)
        if due is None or at < due:
            self._due[key] = at
            heapq.heappush(self._heap, (at, key))

    def ripen(self, now: float) -> list[Key]:
        """The delayed keys whose time has come; they are delayed no more."""
        ripe: list[Key] = []
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._due.get(key) == at:
                del self._due[key]
                ripe.append(key)
        return ripe

    def next_due(self) -> float | None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self) -> Key | None:
        """The next key, now in work, or None."""
        first, second = self._urgent, self._background
        if self._streak >= FAIR_SHARE and self._background:
            first, second = second, first
        key = self._pop(first) or self._pop(second)
        if key is not None:
            self._streak = self._streak + 1 if self._wanted[key] else 0
            del self._wanted[key]
            self._working.add(key)
        return key

    def done(self, key: Key) -> bool:
        """Its work has ended. Whether it waits again, because it was added meanwhile."""
        self._working.discard(key)
        urgent = self._wanted.get(key)
        if urgent is None:
            return False
        (self._urgent if urgent else self._background).append(key)
        return True

    @property
    def depth(self) -> int:
        return sum(key not in self._working for key in self._wanted) if self._working else len(self._wanted)

    @property
    def working(self) -> int:
        return len(self._working)

    def _pop(self, line: deque[Key]) -> Key | None:
        urgent = line is self._urgent
        while line:
            key = line.popleft()
            # A background key that became urgent stands in both lines; only the urgent place counts.
            if self._wanted.get(key) is urgent and key not in self._working:
                return key
        return None


class WorkQueue:
    """Keys for one controller. Not thread-safe: everything happens on the event loop."""

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        base: float = BACKOFF_BASE,
        cap: float = BACKOFF_CAP,
    ) -> None:
        self.name = name
        self._clock = clock
        self._base = base
        self._cap = cap
        self._agenda = Agenda()
        self._failures: dict[Key, int] = {}
        self._since: dict[Key, float] = {}
        self._started: dict[Key, float] = {}
        self._awake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._closed = False
        self._adds = metrics.ADDS.labels(name)
        self._retries = metrics.QUEUE_RETRIES.labels(name)
        self._waited = metrics.QUEUE_DURATION.labels(name)
        self._worked = metrics.WORK_DURATION.labels(name)
        metrics.DEPTH.labels(name).set_function(lambda: self._agenda.depth)
        metrics.UNFINISHED.labels(name).set_function(lambda: sum(self._ages()))
        metrics.LONGEST.labels(name).set_function(lambda: max(self._ages(), default=0.0))

    def __len__(self) -> int:
        return self._agenda.depth

    def add(self, key: Key, *, urgent: bool = True) -> None:
        """Have `key` worked on soon: once, however often it is added before. Background keys yield to urgent ones."""
        if self._closed:
            return
        if self._agenda.add(key, urgent=urgent):
            self._adds.inc()
            self._since.setdefault(key, self._clock())
        self._awake.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Add `key` in `seconds`, or when an earlier such wish says. Adding it at once does not cancel the wish."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        self._agenda.add_at(key, self._clock() + seconds)
        self._arm()

    def add_failed(self, key: Key) -> float:
        """Add `key` after its back-off, which doubles from 5 ms to 1000 s until `forget`. Returns the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._retries.inc()
        pause = min(self._cap, self._base * 2.0 ** min(failures, 40))
        self.add_after(key, pause)
        return pause

    def forget(self, key: Key) -> None:
        """Start its back-off anew."""
        self._failures.pop(key, None)

    def failures(self, key: Key) -> int:
        return self._failures.get(key, 0)

    async def get(self) -> Key | None:
        """The next key, which then is in work until `done`; None when the queue was closed. One caller only."""
        while not self._closed:
            self._tick()
            key = self._agenda.take()
            if key is not None:
                now = self._clock()
                self._waited.observe(max(0.0, now - self._since.pop(key, now)))
                self._started[key] = now
                return key
            self._awake.clear()
            await self._awake.wait()
        return None

    def done(self, key: Key) -> None:
        started = self._started.pop(key, None)
        if started is not None:
            self._worked.observe(max(0.0, self._clock() - started))
        if self._agenda.done(key):
            self._awake.set()

    def close(self) -> None:
        """Hand out no more keys. What is in work may end."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._awake.set()

    def _tick(self) -> None:
        for key in self._agenda.ripen(self._clock()):
            self.add(key)
        self._arm()

    def _arm(self) -> None:
        due = self._agenda.next_due()
        if due == self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = due
        if due is not None:
            delay = max(0.0, due - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        self._armed = None
        self._timer = None
        self._awake.set()

    def _ages(self) -> list[float]:
        now = self._clock()
        return [now - started for started in self._started.values()]
