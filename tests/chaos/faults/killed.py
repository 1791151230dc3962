"""SIGKILL: as when a machine loses power."""

import signal
from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import Harm, Said, Strike


def _which(chance: Random) -> Said:
    return {"who": chance.choice(("leader", "leader", "first", "second"))}


def _kill(world: Any, strike: Strike) -> None:
    name = world.named(strike.said["who"])
    if name:
        world.struck[strike.key] += world.kill(name, signal.SIGKILL)


def _tend(world: Any, strike: Strike) -> None:
    world.tend()


HARMS: Final = (
    Harm("killed-controller", _which, _kill, _tend, lasts=(0, 2)),
    Harm("killed-webhook", lambda chance: {"who": "webhook"}, _kill, _tend, lasts=(0, 2)),
)
