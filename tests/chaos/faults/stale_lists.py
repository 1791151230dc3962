"""Lists from the past, as a lagging watch cache gives them, and pages that expire under a list."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import Rule, by_rules

CACHED: Final = ["jobflows", "jobtemplates", "jobs", "podgroups", "queues", "commands"]


def _draw(chance: Random) -> list[Rule]:
    # Pods are also read live, without a resourceVersion: such a read is never stale, so theirs are left alone.
    return [
        {"kind": "stale-list", "probability": 0.7, "revisions": chance.randint(1, 60), "resources": CACHED},
        {"kind": "expire-continue", "probability": 0.3},
        {"kind": "watch-410", "probability": 0.3, "count": 8},  # so that there are lists at all
    ]


HARM: Final = by_rules("stale-lists", _draw)
