"""The client-side rate limit: a token bucket. Off by default, because API Priority and Fairness limits clients."""

import time
from collections.abc import Callable


class Bucket:
    """At most `rate` tokens a second on average and `burst` at once. A rate of 0 never waits."""

    def __init__(self, rate: float, burst: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst if burst is not None else max(1.0, rate * 1.5))
        self._clock = clock
        self._tokens = self._burst
        self._at = clock()

    def reserve(self) -> float:
        """Takes a token and returns the seconds to wait for it. Later calls wait behind earlier ones."""
        if self._rate <= 0:
            return 0.0
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate) - 1.0
        self._at = now
        return max(0.0, -self._tokens / self._rate)

    def try_take(self) -> bool:
        """Takes a token if one is available now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    async def take(self) -> float:
        """Waits for a token and returns the seconds that it waited."""
        if wait := self.reserve():
            import asyncio  # programs without a limit need not load it here

            await asyncio.sleep(wait)
        return wait
