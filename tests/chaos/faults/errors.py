"""Slow requests, requests refused with 409, 429 (Retry-After), 500 and 503, and pods refused by a webhook of somebody else."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import WRITES, ChaosFault, FaultRule, by_rules


def _fault(code: str) -> ChaosFault:
    def draw(chance: Random) -> list[FaultRule]:
        verbs = list(WRITES) if code == "409" or chance.random() < 0.7 else []
        return [{"kind": code, "probability": round(chance.uniform(0.2, 0.9), 2), "verbs": verbs, "seconds": 1}]

    return by_rules(f"answers-{code}", draw)


def _draw_latency(chance: Random) -> list[FaultRule]:
    return [{"kind": "latency", "probability": 0.5, "seconds": round(chance.uniform(0.05, 1.0), 2)}]


def _draw_refusal(chance: Random) -> list[FaultRule]:
    return [
        {"kind": "403", "probability": round(chance.uniform(0.3, 1.0), 2), "verbs": ["create"], "resources": ["pods"]}
    ]


FAULTS: Final = (
    *(_fault(code) for code in ("409", "429", "500", "503")),
    by_rules("refused-pods", _draw_refusal),
    by_rules("latency", _draw_latency),
)
