"""The leader is stopped until the other controller leads, and then continues."""

import signal
from random import Random
from typing import Any, Final

from tests.chaos.controller import LEASE_SECONDS
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _draw(chance: Random) -> FaultParameters:
    return {}


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    name = cluster.leader()
    if name:
        cluster.paused_leaders[scheduled.key] = name
        cluster.kill(name, signal.SIGSTOP)


def _recover(cluster: Any, scheduled: ScheduledFaultView) -> None:
    if name := cluster.paused_leaders.pop(scheduled.key, ""):
        cluster.injected[scheduled.key] += cluster.leader() not in ("", name)
        cluster.kill(name, signal.SIGCONT)


FAULT: Final = ChaosFault("two-leaders", _draw, _inject, _recover, lasts=(LEASE_SECONDS + 1, LEASE_SECONDS + 2))
