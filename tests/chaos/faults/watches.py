"""Watches that end, answer 410, deliver events late, or deliver them twice."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import ChaosFault, FaultRule, by_rules


def _fault(kind: str) -> ChaosFault:
    def draw(chance: Random) -> list[FaultRule]:
        share = round(chance.uniform(0.1, 0.6), 2)
        return [{"kind": kind, "probability": share, "seconds": round(chance.uniform(0.1, 1.5), 2)}]

    return by_rules(kind, draw)


FAULTS: Final = tuple(_fault(kind) for kind in ("watch-drop", "watch-410", "watch-delay", "watch-duplicate"))
