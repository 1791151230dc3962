"""SIGKILL: as when a machine loses power."""

import signal
from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _which(chance: Random) -> Said:
    return {"who": chance.choice(("leader", "leader", "first", "second"))}


def _kill(world: Any, strike: InjectFault) -> None:
    name = world.named(strike.said["who"])
    if name:
        world.struck[strike.key] += world.kill(name, signal.SIGKILL)


def _tend(world: Any, strike: InjectFault) -> None:
    world.tend()


HARMS: Final = (
    ChaosFault("killed-controller", _which, _kill, _tend, lasts=(0, 2)),
    ChaosFault("killed-webhook", lambda chance: {"who": "webhook"}, _kill, _tend, lasts=(0, 2)),
)
