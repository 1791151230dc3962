"""The wall clock of one controller or both jumps, and later jumps back."""

from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _draw(chance: Random) -> Said:
    return {"by": chance.choice((-3600, -60, -5, 5, 60, 3600)), "who": chance.choice(("first", "second", "both"))}


def _inflict(world: Any, strike: InjectFault) -> None:
    world.set_clock(strike.said["who"], strike.said["by"])
    world.struck[strike.key] += 1


def _mend(world: Any, strike: InjectFault) -> None:
    world.set_clock(strike.said["who"], 0)


HARM: Final = ChaosFault("clock-jump", _draw, _inflict, _mend)
