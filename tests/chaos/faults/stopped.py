"""SIGSTOP, then SIGCONT: a process that hangs for a while and goes on as if nothing had been."""

import signal
from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _which(chance: Random) -> Said:
    return {"who": chance.choice(("first", "second"))}


def _stop(world: Any, strike: InjectFault) -> None:
    world.struck[strike.key] += world.kill(strike.said["who"], signal.SIGSTOP)


def _go_on(world: Any, strike: InjectFault) -> None:
    world.kill(strike.said["who"], signal.SIGCONT)


HARMS: Final = (
    ChaosFault("stopped-controller", _which, _stop, _go_on),
    ChaosFault("stopped-webhook", lambda chance: {"who": "webhook"}, _stop, _go_on),
)
