"""Watches that end, answer 410, deliver events late or twice, or one kind later than another."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import ChaosFault, FaultRule, by_rules


def _fault(kind: str) -> ChaosFault:
    def draw(chance: Random) -> list[FaultRule]:
        share = round(chance.uniform(0.1, 0.6), 2)
        return [{"kind": kind, "probability": share, "seconds": round(chance.uniform(0.1, 1.5), 2)}]

    return by_rules(kind, draw)


KINDS: Final = ("jobflows", "jobs", "podgroups", "pods", "queues", "nodes")


def _draw_order(chance: Random) -> list[FaultRule]:
    """Each kind has a delay of its own, so that what happened first in one is seen after what happened later in another."""
    late = chance.sample(KINDS, chance.randint(1, 4))
    return [
        {"kind": "watch-delay", "probability": 1.0, "seconds": round(chance.uniform(0.2, 1.5), 2), "resources": [kind]}
        for kind in late
    ]


FAULTS: Final = (
    *(_fault(kind) for kind in ("watch-drop", "watch-410", "watch-delay", "watch-duplicate")),
    by_rules("watch-reorder", _draw_order),
)
