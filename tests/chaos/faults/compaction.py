"""History compacted and every watch ended at once: all clients list anew."""

from random import Random
from typing import Any, Final

from tests.chaos.faults.fault import Harm, Said, Strike


def _draw(chance: Random) -> Said:
    return {}


def _inflict(world: Any, strike: Strike) -> None:
    world.kube.request("POST", "/testing/compact", {})
    world.struck[strike.key] += world.kube.request("POST", "/testing/drop-watches", {})["dropped"]


HARM: Final = Harm("compaction", _draw, _inflict, lasts=(0, 0))
