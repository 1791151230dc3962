"""History compacted and every watch ended at once: all clients list anew."""

from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _draw(chance: Random) -> Said:
    return {}


def _inflict(world: Any, strike: InjectFault) -> None:
    world.kube.request("POST", "/testing/compact", {})
    world.struck[strike.key] += world.kube.request("POST", "/testing/drop-watches", {})["dropped"]


HARM: Final = ChaosFault("compaction", _draw, _inflict, lasts=(0, 0))
