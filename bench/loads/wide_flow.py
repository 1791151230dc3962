"""(c) One flow of 500 steps that wait for nothing."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import independent
from bench.ground import BenchCluster
from bench.peer import Side

STEPS: Final = 500


async def measure(ground: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    graph = independent(STEPS)
    async with flowrun.stage(ground, side, graph) as observer:
        return await flowrun.run(ground, side, observer, {"wide": graph})
