"""The work queue, modelled on client-go's: one entry and one worker per key, delayed adds, exponential back-off per key.

`KeyQueue` holds the rules and has no clock and no event loop; `WorkQueue` adds both.
"""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from controller import metrics
from shared.key import Key

BACKOFF_BASE: Final = 0.005
BACKOFF_CAP: Final = 1000.0
FAIR_SHARE: Final = 8  # a lane with keys gets a turn after so many keys of earlier lanes


class QueueLane(IntEnum):
    """Which keys come before others: those of objects that nothing is known about yet, changes, and keys from the first list
    and from periodic scans.
    """

    NEW = 0
    CHANGED = 1
    BACKGROUND = 2


class KeyQueue:
    """Decides which key is next. All times are seconds of one clock.

    A key is queued at most once. A key that is added while it is processed is queued again when that is done. Keys of a later
    lane get every ninth turn.
    """

    def __init__(self) -> None:
        self._queued: dict[Key, QueueLane] = {}  # queued, or to be queued again after processing
        self._processing: set[Key] = set()
        self._lanes: tuple[deque[Key], ...] = tuple(deque() for _ in QueueLane)
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        # By lane: keys of earlier lanes that were taken since the last one of this lane.
        self._passed_over = [0 for _ in QueueLane]

    def add(self, key: Key, lane: QueueLane = QueueLane.CHANGED) -> bool:
        """Whether the key was not queued yet."""
        if self.is_queued(key, lane):
            return False
        is_first = key not in self._queued
        self._queued[key] = lane
        if key not in self._processing:
            self._lanes[lane].append(key)
        return is_first

    def is_queued(self, key: Key, lane: QueueLane) -> bool:
        """Whether the key is queued in this lane or an earlier one, or will be once its processing has ended."""
        known = self._queued.get(key)
        return known is not None and known <= lane

    def add_at(self, key: Key, at: float) -> None:
        """Add the key at time `at`, or earlier if it was added with an earlier time."""
        due = self._due.get(key)
        if due is None or at < due:
            self._due[key] = at
            heapq.heappush(self._heap, (at, key))

    def pop_due(self, now: float) -> list[Key]:
        """Remove and return the delayed keys that are due at `now`."""
        due_keys: list[Key] = []
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._due.get(key) == at:
                del self._due[key]
                due_keys.append(key)
        return due_keys

    def next_due(self) -> float | None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self) -> Key | None:
        """The next key, which is then in processing, or None."""
        waited = [lane for lane in QueueLane if self._passed_over[lane] >= FAIR_SHARE]
        for lane in (*reversed(waited), *QueueLane):
            key = self._pop(lane)
            if key is not None:
                self._passed_over[lane] = 0
                for later in range(lane + 1, len(QueueLane)):
                    self._passed_over[later] += 1
                del self._queued[key]
                self._processing.add(key)
                return key
        return None

    def done(self, key: Key) -> bool:
        """Processing of the key has ended. Returns whether it is queued again, because it was added meanwhile."""
        self._processing.discard(key)
        lane = self._queued.get(key)
        if lane is None:
            return False
        self._lanes[lane].append(key)
        return True

    @property
    def depth(self) -> int:
        return sum(key not in self._processing for key in self._queued) if self._processing else len(self._queued)

    @property
    def processing(self) -> int:
        return len(self._processing)

    def _pop(self, lane: QueueLane) -> Key | None:
        line = self._lanes[lane]
        while line:
            key = line.popleft()
            # A key that was added to an earlier lane later is in both; only its entry in the earlier one counts.
            if self._queued.get(key) is lane and key not in self._processing:
                return key
        return None


class WorkQueue:
    """The keys of one controller. Not thread-safe: use it on one event loop only.

    `is_new`: whether the object of a key has no status yet. Such keys come before changes of others.
    """

    def __init__(
        self,
        name: str,
        *,
        is_new: Callable[[Key], bool] = lambda key: False,
        clock: Callable[[], float] = time.monotonic,
        base: float = BACKOFF_BASE,
        cap: float = BACKOFF_CAP,
    ) -> None:
        self.name = name
        self._clock = clock
        self._base = base
        self._cap = cap
        self._is_new = is_new
        self._keys = KeyQueue()
        self._failures: dict[Key, int] = {}
        self._since: dict[Key, float] = {}
        self._started: dict[Key, float] = {}
        self._wakeup = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._closed = False
        self._adds = metrics.ADDS.labels(name)
        self._retries = metrics.QUEUE_RETRIES.labels(name)
        self._waited = metrics.QUEUE_DURATION.labels(name)
        self._worked = metrics.WORK_DURATION.labels(name)
        metrics.DEPTH.labels(name).set_function(lambda: self._keys.depth)
        metrics.UNFINISHED.labels(name).set_function(lambda: sum(self._ages()))
        metrics.LONGEST.labels(name).set_function(lambda: max(self._ages(), default=0.0))

    def __len__(self) -> int:
        return self._keys.depth

    def add(self, key: Key, *, urgent: bool = True) -> None:
        """Add `key`. It is processed once, however often it is added before that. Background keys come after urgent ones."""
        if self._closed or self._keys.is_queued(key, QueueLane.CHANGED if urgent else QueueLane.BACKGROUND):
            return
        lane = QueueLane.BACKGROUND if not urgent else QueueLane.NEW if self._is_new(key) else QueueLane.CHANGED
        if self._keys.add(key, lane):
            self._adds.inc()
            self._since.setdefault(key, self._clock())
        self._wakeup.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Add `key` after `seconds`, or at an earlier time given before. A plain `add` does not cancel the delayed one."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        self._keys.add_at(key, self._clock() + seconds)
        self._arm()

    def add_failed(self, key: Key) -> float:
        """Add `key` after its back-off, which doubles from 5 ms up to 1000 s until `forget`. Returns the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._retries.inc()
        pause = min(self._cap, self._base * 2.0 ** min(failures, 40))
        self.add_after(key, pause)
        return pause

    def forget(self, key: Key) -> None:
        """Reset the back-off of `key`."""
        self._failures.pop(key, None)

    def failures(self, key: Key) -> int:
        return self._failures.get(key, 0)

    async def get(self) -> Key | None:
        """The next key, which is in processing until `done`; None when the queue is closed. For one caller only."""
        while not self._closed:
            self._add_due()
            key = self._keys.take()
            if key is not None:
                now = self._clock()
                self._waited.observe(max(0.0, now - self._since.pop(key, now)))
                self._started[key] = now
                return key
            self._wakeup.clear()
            await self._wakeup.wait()
        return None

    def done(self, key: Key) -> None:
        started = self._started.pop(key, None)
        if started is not None:
            self._worked.observe(max(0.0, self._clock() - started))
        if self._keys.done(key):
            self._wakeup.set()

    def close(self) -> None:
        """Return no more keys from `get`. Keys in processing may finish."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._wakeup.set()

    def _add_due(self) -> None:
        for key in self._keys.pop_due(self._clock()):
            self.add(key)
        self._arm()

    def _arm(self) -> None:
        due = self._keys.next_due()
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
        self._wakeup.set()

    def _ages(self) -> list[float]:
        now = self._clock()
        return [now - started for started in self._started.values()]
