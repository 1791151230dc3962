"""The history is compacted and every watch ends, so that all clients list again."""

from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _draw(chance: Random) -> FaultParameters:
    return {}


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.kube.request("POST", "/testing/compact", {})
    cluster.injected[scheduled.key] += cluster.kube.request("POST", "/testing/drop-watches", {})["dropped"]


FAULT: Final = ChaosFault("compaction", _draw, _inject, lasts=(0, 0))
