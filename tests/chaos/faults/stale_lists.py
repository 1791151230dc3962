"""Lists of an older revision, as a lagging watch cache returns them, and continue tokens that expire."""

from random import Random
from typing import Final

from tests.chaos.faults.fault import FaultRule, by_rules

CACHED: Final = ["jobflows", "jobtemplates", "jobs", "podgroups", "queues", "commands"]


def _draw(chance: Random) -> list[FaultRule]:
    # Pods are also read live, without a resourceVersion: such a read is never stale, so theirs are left alone.
    return [
        {"kind": "stale-list", "probability": 0.7, "revisions": chance.randint(1, 60), "resources": CACHED},
        {"kind": "expire-continue", "probability": 0.3},
        {"kind": "watch-410", "probability": 0.3, "count": 8},  # so that clients list again
    ]


FAULT: Final = by_rules("stale-lists", _draw)
