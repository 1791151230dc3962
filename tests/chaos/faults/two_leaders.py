"""The leader hangs until the other leads, and then wakes up in the belief that it still does."""

import signal
from random import Random
from typing import Any, Final

from tests.chaos.controller import LEASE_SECONDS
from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _draw(chance: Random) -> Said:
    return {}


def _inflict(world: Any, strike: InjectFault) -> None:
    name = world.leader()
    if name:
        world.asleep[strike.key] = name
        world.kill(name, signal.SIGSTOP)


def _mend(world: Any, strike: InjectFault) -> None:
    if name := world.asleep.pop(strike.key, ""):
        world.struck[strike.key] += world.leader() not in ("", name)
        world.kill(name, signal.SIGCONT)


HARM: Final = ChaosFault("two-leaders", _draw, _inflict, _mend, lasts=(LEASE_SECONDS + 1, LEASE_SECONDS + 2))
