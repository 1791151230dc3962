"""(d) One flow of 200 steps, each waiting for the one before it: the time from step to step."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import chain
from bench.ground import BenchCluster
from bench.peer import Side

STEPS: Final = 200


async def measure(ground: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    graph = chain(STEPS)
    async with flowrun.stage(ground, side, graph) as observer:
        found = await flowrun.run(ground, side, observer, {"chain": graph})
    return found | {"ms_per_step": found["seconds"] * 1000 / STEPS}
