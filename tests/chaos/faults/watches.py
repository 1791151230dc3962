"""Watches that end, are told 410, tell late, or tell twice."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import ChaosFault, Rule, by_rules


def _harm(kind: str) -> ChaosFault:
    def draw(chance: Random) -> list[Rule]:
        share = round(chance.uniform(0.1, 0.6), 2)
        return [{"kind": kind, "probability": share, "seconds": round(chance.uniform(0.1, 1.5), 2)}]

    return by_rules(kind, draw)


HARMS: Final = tuple(_harm(kind) for kind in ("watch-drop", "watch-410", "watch-delay", "watch-duplicate"))
