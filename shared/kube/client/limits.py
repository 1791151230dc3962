"""The client's own rate limit: a token bucket on the monotonic clock. Off by default: API Priority and Fairness rules."""

import asyncio
import time
from collections.abc import Callable


class Bucket:
    """At most `rate` a second in the long run, `burst` at once. A rate of 0 never waits."""

    def __init__(self, rate: float, burst: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst if burst is not None else max(1.0, rate * 1.5))
        self._clock = clock
        self._tokens = self._burst
        self._at = clock()

    def reserve(self) -> float:
        """Take a token and say how many seconds to wait for it; the debt of those who wait is remembered."""
        if self._rate <= 0:
            return 0.0
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate) - 1.0
        self._at = now
        return max(0.0, -self._tokens / self._rate)

    def try_take(self) -> bool:
        """Take a token if there is one now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    async def take(self) -> float:
        """Wait for a token; the seconds waited."""
        if wait := self.reserve():
            await asyncio.sleep(wait)
        return wait
