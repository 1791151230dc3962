"""The wall clock of one controller or both jumps, and later jumps back."""

from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _draw(chance: Random) -> FaultParameters:
    return {"by": chance.choice((-3600, -60, -5, 5, 60, 3600)), "who": chance.choice(("first", "second", "both"))}


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.set_clock(scheduled.parameters["who"], scheduled.parameters["by"])
    cluster.injected[scheduled.key] += 1


def _recover(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.set_clock(scheduled.parameters["who"], 0)


FAULT: Final = ChaosFault("clock-jump", _draw, _inject, _recover)
