"""Requests refused with 409, 429 (Retry-After), 500 and 503."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import WRITES, ChaosFault, Rule, by_rules


def _harm(code: str) -> ChaosFault:
    def draw(chance: Random) -> list[Rule]:
        verbs = list(WRITES) if code == "409" or chance.random() < 0.7 else []
        return [{"kind": code, "probability": round(chance.uniform(0.2, 0.9), 2), "verbs": verbs, "seconds": 1}]

    return by_rules(f"answers-{code}", draw)


HARMS: Final = tuple(_harm(code) for code in ("409", "429", "500", "503"))
