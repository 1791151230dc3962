"""Connections cut before the request is served, and after it was committed: the client cannot know which."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import WRITES, ChaosFault, Rule, by_rules


def _harm(kind: str) -> ChaosFault:
    def draw(chance: Random) -> list[Rule]:
        return [{"kind": kind, "probability": round(chance.uniform(0.2, 0.9), 2), "verbs": list(WRITES)}]

    return by_rules(kind, draw)


HARMS: Final = tuple(_harm(kind) for kind in ("reset", "reset-after-commit"))
