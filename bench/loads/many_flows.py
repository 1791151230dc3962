"""(b) 200 flows of five steps, all at once: throughput."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.peer import Side

FLOWS: Final = 200


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with flowrun.stage(bench_cluster, side, DIAMOND) as observer:
        return await flowrun.run(bench_cluster, side, observer, {f"f{at}": DIAMOND for at in range(FLOWS)})
