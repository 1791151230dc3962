"""A slow API server."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import FaultRule, by_rules


def _draw(chance: Random) -> list[FaultRule]:
    return [{"kind": "latency", "probability": 0.5, "seconds": round(chance.uniform(0.05, 1.0), 2)}]


FAULT: Final = by_rules("latency", _draw)
