"""(c) One flow of 500 steps without dependencies."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import independent
from bench.cluster import BenchCluster
from bench.peer import Side

STEPS: Final = 500


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    graph = independent(STEPS)
    async with flowrun.stage(bench_cluster, side, graph) as observer:
        return await flowrun.run(bench_cluster, side, observer, {"wide": graph})
