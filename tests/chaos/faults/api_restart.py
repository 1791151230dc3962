"""The API server ends and starts again with its state, but without its watch history."""

from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _draw(chance: Random) -> Said:
    return {"away": round(chance.uniform(0, 1.5), 2)}


def _inflict(world: Any, strike: InjectFault) -> None:
    world.restart_api(strike.said["away"])
    world.struck[strike.key] += 1


HARM: Final = ChaosFault("api-restart", _draw, _inflict, lasts=(0, 0))
