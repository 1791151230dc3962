"""How long to wait before trying again."""

import random
from typing import Final

RANDOM: Final = random.Random()


def full_jitter(attempt: int, *, base: float, cap: float, random: random.Random = RANDOM) -> float:
    """Seconds, uniformly from 0 to `base * 2**attempt`, at most `cap`; spreads clients that failed together."""
    return random.uniform(0.0, min(cap, base * 2.0 ** min(attempt, 32)))


def equal_jitter(attempt: int, *, base: float, cap: float, random: random.Random = RANDOM) -> float:
    """Seconds from half to all of `base * 2**attempt`, at most `cap`; never nearly nothing, for reconnecting watches."""
    longest = min(cap, base * 2.0 ** min(attempt, 32))
    return random.uniform(longest / 2, longest)
