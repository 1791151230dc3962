"""The API server restarts with its objects and without its watch history."""

from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _draw(chance: Random) -> FaultParameters:
    return {"away": round(chance.uniform(0, 1.5), 2)}


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.restart_api(scheduled.parameters["away"])
    cluster.injected[scheduled.key] += 1


FAULT: Final = ChaosFault("api-restart", _draw, _inject, lasts=(0, 0))
