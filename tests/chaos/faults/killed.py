"""SIGKILL of a process."""

import signal
from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _which(chance: Random) -> FaultParameters:
    return {"who": chance.choice(("leader", "leader", "first", "second"))}


def _kill(cluster: Any, scheduled: ScheduledFaultView) -> None:
    name = cluster.named(scheduled.parameters["who"])
    if name:
        cluster.injected[scheduled.key] += cluster.kill(name, signal.SIGKILL)


def _restart(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.restart_ended()


FAULTS: Final = (
    ChaosFault("killed-controller", _which, _kill, _restart, lasts=(0, 2)),
    ChaosFault("killed-webhook", lambda chance: {"who": "webhook"}, _kill, _restart, lasts=(0, 2)),
)
