"""(b) 200 flows of five steps, all at once: throughput."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND
from bench.ground import BenchCluster
from bench.peer import Side

FLOWS: Final = 200


async def measure(ground: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with flowrun.stage(ground, side, DIAMOND) as observer:
        return await flowrun.run(ground, side, observer, {f"f{at}": DIAMOND for at in range(FLOWS)})
