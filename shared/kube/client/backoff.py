"""Exponential back-off with jitter: the time to wait before a retry."""

import random
from typing import Final

RANDOM: Final = random.Random()


def full_jitter(attempt: int, *, base: float, cap: float, random: random.Random = RANDOM) -> float:
    """Seconds, uniform from 0 to `base * 2**attempt`, at most `cap`. Spreads clients that failed at the same time."""
    return random.uniform(0.0, min(cap, base * 2.0 ** min(attempt, 32)))


def equal_jitter(attempt: int, *, base: float, cap: float, random: random.Random = RANDOM) -> float:
    """Seconds, uniform from half to all of `base * 2**attempt`, at most `cap`. For watches, which must not reconnect at once."""
    longest = min(cap, base * 2.0 ** min(attempt, 32))
    return random.uniform(longest / 2, longest)
