"""Connections closed before the request is served, or after it was committed: a client cannot tell which."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import WRITES, ChaosFault, FaultRule, by_rules


def _fault(kind: str) -> ChaosFault:
    def draw(chance: Random) -> list[FaultRule]:
        return [{"kind": kind, "probability": round(chance.uniform(0.2, 0.9), 2), "verbs": list(WRITES)}]

    return by_rules(kind, draw)


FAULTS: Final = tuple(_fault(kind) for kind in ("reset", "reset-after-commit"))
