"""Connections closed before the request is served, or after it was committed, which a client cannot tell; and committed
requests that are answered late, or with a time-out."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import WRITES, ChaosFault, FaultRule, by_rules


def _fault(kind: str) -> ChaosFault:
    def draw(chance: Random) -> list[FaultRule]:
        share, late = round(chance.uniform(0.2, 0.9), 2), round(chance.uniform(0.1, 1.5), 2)
        return [{"kind": kind, "probability": share, "verbs": list(WRITES), "seconds": late}]

    return by_rules(kind, draw)


FAULTS: Final = tuple(_fault(kind) for kind in ("reset", "reset-after-commit", "late-answer", "timeout-after-commit"))
