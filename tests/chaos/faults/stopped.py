"""SIGSTOP, then SIGCONT: a process hangs for some time."""

import signal
from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _which(chance: Random) -> FaultParameters:
    return {"who": chance.choice(("first", "second"))}


def _stop(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.injected[scheduled.key] += cluster.kill(scheduled.parameters["who"], signal.SIGSTOP)


def _continue(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.kill(scheduled.parameters["who"], signal.SIGCONT)


FAULTS: Final = (
    ChaosFault("stopped-controller", _which, _stop, _continue),
    ChaosFault("stopped-webhook", lambda chance: {"who": "webhook"}, _stop, _continue),
)
